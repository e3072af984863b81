//! Bounds of numbers.

use std::fmt;

/// Bounds of numbers, inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least value allowed.
    pub min: Option<RangeBound>,
    /// The greatest value allowed.
    pub max: Option<RangeBound>,
}

/// A bound as it is written: an integer keeps all of its digits, which a double
/// would not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RangeBound {
    /// An integer.
    Integer(i64),
    /// A number with a point or an exponent; finite in a checked spec.
    Float(f64),
}

/// 2^63: the first whole number that 64 bits do not hold.
const PAST_64_BITS: f64 = 9_223_372_036_854_775_808.0;

impl RangeBound {
    /// Returns the least integer that is not below the bound, or `None` if it is
    /// past 64 bits.
    pub(super) fn integer_above(self) -> Option<i64> {
        match self {
            RangeBound::Integer(bound) => Some(bound),
            RangeBound::Float(bound) if bound.ceil() >= PAST_64_BITS => None,
            RangeBound::Float(bound) => Some(bound.ceil() as i64),
        }
    }

    /// Returns the greatest integer that is not above the bound, or `None` if it
    /// is past 64 bits.
    pub(super) fn integer_below(self) -> Option<i64> {
        match self {
            RangeBound::Integer(bound) => Some(bound),
            RangeBound::Float(bound) if bound.floor() < -PAST_64_BITS => None,
            RangeBound::Float(bound) => Some(bound.floor() as i64),
        }
    }

    /// Returns the bound of a float column.
    pub(super) fn double(self) -> f64 {
        match self {
            RangeBound::Integer(bound) => bound as f64,
            RangeBound::Float(bound) => bound,
        }
    }

    /// Returns whether a lower bound leaves nothing below this upper bound.
    pub(super) fn is_above(self, upper: RangeBound) -> bool {
        match (self, upper) {
            (RangeBound::Integer(lower), RangeBound::Integer(upper)) => lower > upper,
            (lower, upper) => lower.double() > upper.double(),
        }
    }
}

impl fmt::Display for RangeBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RangeBound::Integer(bound) => bound.fmt(f),
            RangeBound::Float(bound) => bound.fmt(f),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "{min} and more"),
            (None, Some(max)) => write!(f, "{max} and less"),
            (None, None) => f.write_str("any number"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_of_integers_is_exact() {
        use RangeBound::{Float, Integer};
        for (bound, above, below) in [
            (Integer(i64::MAX), Some(i64::MAX), Some(i64::MAX)),
            (Float(1.5), Some(2), Some(1)),
            (Float(-1.5), Some(-1), Some(-2)),
            (Float(2.0), Some(2), Some(2)),
            (Float(1e300), None, Some(i64::MAX)),
            (Float(-1e300), Some(i64::MIN), None),
            (Float(PAST_64_BITS), None, Some(i64::MAX)),
            (Float(-PAST_64_BITS), Some(i64::MIN), Some(i64::MIN)),
        ] {
            assert_eq!((bound.integer_above(), bound.integer_below()), (above, below), "{bound}");
        }
    }
}
