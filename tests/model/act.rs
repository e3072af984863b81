//! What is done to the tables.

use std::fmt;

use crate::draw::Draw;
use crate::found::Format;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Run {
        overwrites: bool,
        /// With `--optimize-after`.
        packs: bool,
    },
    Optimize {
        sorts: bool,
    },
    Vacuum,
    /// With the mended transforms; runs go on with the others.
    Replay,
}

pub const RUN: Act = Act::Run { overwrites: false, packs: false };

impl Act {
    /// Any one.
    pub fn draw(format: Format, draw: &mut Draw) -> Act {
        match format == Format::Delta && draw.once_in(8) {
            true => Act::Vacuum,
            false => Act::beside_others(format, draw),
        }
    }

    /// One that may be done while others are under way.
    pub fn beside_others(format: Format, draw: &mut Draw) -> Act {
        if format == Format::Delta && draw.once_in(4) {
            return Act::Optimize { sorts: draw.once_in(3) };
        }
        if format == Format::Delta && draw.once_in(4) {
            return Act::Replay;
        }
        let overwrites = draw.once_in(5);
        Act::Run { overwrites, packs: format == Format::Delta && draw.once_in(5) }
    }

    /// Whether it lets the quarantine take over what it has not yet.
    pub fn settles(self) -> bool {
        !matches!(self, Act::Optimize { .. })
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Act::Run { overwrites, packs } => {
                let mode = if *overwrites { " --mode overwrite" } else { "" };
                let after = if *packs { " --optimize-after 1" } else { "" };
                write!(f, "run{mode}{after}")
            }
            Act::Optimize { sorts: false } => f.write_str("optimize"),
            Act::Optimize { sorts: true } => f.write_str("optimize --sort id"),
            Act::Replay => f.write_str("replay"),
            Act::Vacuum => f.write_str("vacuum --retain 0s --force"),
        }
    }
}
