//! Fuzz targets: object names, bodies, transforms, numbers, times.
//!
//! `cargo test --test fuzz` gives each target about a second of random inputs.
//! `PINCLEAN_FUZZ_SECONDS=600 cargo test --test fuzz decode -- --nocapture`
//! gives one target ten minutes. A failing input is printed, shrunk, with what
//! was made of it; keep it as a row of the target's table of finds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod choices;
mod decode;
mod envelope;
mod json;
mod key;
mod model;
mod numbers;
mod times;
mod transforms;

use std::panic::RefUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bolero::generator::TypeGeneratorWithParams;
use choices::Choices;

const SECONDS: &str = "PINCLEAN_FUZZ_SECONDS";

/// Runs a target for as long as the environment says.
macro_rules! fuzz {
    ($name:ident, $longest:expr) => {
        #[test]
        fn $name() {
            with_a_large_stack(|| {
                let inputs = AtomicU64::new(0);
                bolero::check!()
                    .with_test_time(seconds())
                    .with_generator(Vec::<u8>::gen_with().len(0..$longest))
                    .for_each(|bytes: &Vec<u8>| one(&inputs, bytes, $name::check));
                eprintln!("{}: {} inputs", stringify!($name), inputs.load(Ordering::Relaxed));
            });
        }
    };
}

fuzz!(key, 128_usize);
fuzz!(decode, 1_500_usize);
fuzz!(transforms, 256_usize);
fuzz!(numbers, 128_usize);
fuzz!(times, 96_usize);

fn one(inputs: &AtomicU64, bytes: &[u8], check: impl Fn(&mut Choices<'_>) + RefUnwindSafe) {
    inputs.fetch_add(1, Ordering::Relaxed);
    check(&mut Choices::new(bytes));
}

/// In a build without optimisation one level of nesting takes 28 KiB of stack in
/// the JSON parser (with it, less than 1 KiB) and 40 KiB in the SQL parser.
fn with_a_large_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(run);
    if let Err(panic) = thread.expect("a thread").join() {
        std::panic::resume_unwind(panic);
    }
}

fn seconds() -> Duration {
    let seconds = std::env::var(SECONDS).ok().map(|text| text.parse().expect(SECONDS));
    Duration::from_secs(seconds.unwrap_or(1))
}
