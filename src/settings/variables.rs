//! Variables of the environment that look like ours and are no option's.

use std::ffi::OsString;

use super::layers::{APART, Name};
use crate::cli::options;
use crate::disk::recording;
use crate::failpoint;

/// Those of `names` that begin with `PINCLEAN_` and that no command reads:
/// misspelt options, most likely.
pub fn unknown_variables(names: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let mut known: Vec<String> = options().iter().map(|o| Name::variable_of(&o.name)).collect();
    known.extend(failpoint::VARIABLE.map(str::to_owned));
    known.extend(recording::VARIABLES.iter().map(|&name| name.to_owned()));
    known.extend(APART.map(|(command, option)| Name::of(command, option).variable()));
    let ours = names.into_iter().filter_map(|name| name.into_string().ok());
    let mut unknown: Vec<String> =
        ours.filter(|name| name.starts_with("PINCLEAN_") && !known.contains(name)).collect();
    unknown.sort();
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_an_option_and_is_none_is_unknown() {
        let names = [
            "PATH",
            "PINCLEAN_MEMROY",
            "PINCLEAN_MEMORY",
            "PINCLEAN_MAX_REJECTS",
            "PINCLEAN_CONFIG",
            "PINCLEAN_INIT_OUT",
            "PINCLEAN_VACUUM_FORCE",
            "PINCLEAN_TABLES",
            "PINCLEAN_BAD_RATE",
            "PINCLEAN_DIR",
            "PINCLEANER",
        ];
        let unknown = unknown_variables(names.map(OsString::from));
        assert_eq!(unknown, ["PINCLEAN_DIR", "PINCLEAN_MEMROY", "PINCLEAN_TABLES"]);
    }
}
