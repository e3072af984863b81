//! What a command ends with if several things failed.

use std::cmp::Reverse;

use crate::{Error, Result, logging};

/// Returns the gravest error, the first of those that are level, and logs the others, so
/// that no failure goes unseen.
///
/// # Errors
/// The gravest of `results`.
pub fn gravest(results: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let mut errors: Vec<Error> = results.into_iter().filter_map(Result::err).collect();
    let place = (0..errors.len()).min_by_key(|&n| Reverse(gravity(errors[n].exit_code())));
    let Some(place) = place else { return Ok(()) };
    let gravest = errors.remove(place);
    for error in &errors {
        tracing::error!("{}", logging::with_causes(error));
    }
    Err(gravest)
}

/// How grave an exit code is, for whoever decides by it what to do next.
///
/// After 1 a scheduler tries again. Once a run is committed that try finds nothing new
/// and ends with 0: a broken gate (3), which must not be tried again, would be hidden.
fn gravity(exit_code: u8) -> u8 {
    match exit_code {
        130 | 143 => 4,
        75 => 3,
        3 => 2,
        2 => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Signal;

    /// A failure that ends with this code; `name` is in its text.
    fn failure(code: u8, name: &str) -> Error {
        let error = match code {
            1 => Error::Write { place: name.to_owned(), source: "full".into() },
            2 => Error::Usage(name.to_owned()),
            3 => Error::BrokenGate { broken: name.to_owned(), place: String::new() },
            75 => Error::Ahead { place: name.to_owned() },
            130 => Error::Stopped(Signal::Interrupt),
            143 => Error::Stopped(Signal::Terminate),
            other => panic!("no failure ends with {other}"),
        };
        assert_eq!(error.exit_code(), code);
        error
    }

    #[test]
    fn the_gravest_of_several_failures_is_the_end() {
        // 0 stands for what did not fail.
        let cases: [(&[u8], u8); 16] = [
            (&[], 0),
            (&[0, 0], 0),
            (&[1], 1),
            (&[0, 1, 0], 1),
            (&[3, 1], 3),
            (&[1, 3], 3),
            (&[1, 1, 1, 3], 3),
            (&[3, 1, 1, 1], 3),
            (&[0, 3, 0], 3),
            (&[2, 1], 2),
            (&[2, 3], 3),
            (&[75, 1], 75),
            (&[1, 75, 3], 75),
            (&[143, 3], 143),
            (&[1, 130], 130),
            (&[75, 143], 143),
        ];
        for (codes, expected) in cases {
            let results = codes.iter().map(|code| match code {
                0 => Ok(()),
                code => Err(failure(*code, "x")),
            });
            let ended = gravest(results).map_or_else(|error| error.exit_code(), |()| 0);
            assert_eq!(ended, expected, "{codes:?}");
        }
    }

    #[test]
    fn of_failures_that_are_level_the_first_is_the_end() {
        let names = ["first", "second", "third"];
        let ended = gravest(names.map(|name| Err(failure(1, name)))).unwrap_err();
        assert_eq!(ended.to_string(), "cannot write first");
    }
}
