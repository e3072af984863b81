//! Patterns and texts: what is read, as what, and what is not.

use super::*;

fn instant(pattern: &str, text: &str) -> Option<String> {
    let time = TimePattern::new(pattern).unwrap().instant(text)?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

/// The day as it is read, or nothing.
fn day(pattern: &str, text: &str) -> Option<String> {
    TimePattern::new(pattern).unwrap().day(text).map(|day| day.to_string())
}

/// Checks that a pattern reads a text as a day, and none of the near misses.
#[track_caller]
fn check_day(pattern: &str, good: &[(&str, &str)], bad: &[&str]) {
    for (text, expected) in good {
        assert_eq!(day(pattern, text).as_deref(), Some(*expected), "{text:?} by {pattern}");
    }
    for text in bad {
        assert_eq!(day(pattern, text), None, "{text:?} by {pattern}");
    }
}

#[test]
fn every_number_of_a_date_has_its_width() {
    check_day(
        "%Y-%m-%d",
        &[("2024-03-15", "2024-03-15"), ("0024-03-15", "0024-03-15")],
        &[
            "24-03-15",
            "024-03-15",
            "02024-03-15",
            "2024-3-15",
            "2024-03-5",
            "2024-003-15",
            "+2024-03-15",
            "-2024-03-15",
            "2024-+3-15",
            " 2024-03-15",
            "2024-03-15 ",
            "2024- 3-15",
            "2024-03- 5",
            "2024 -03-15",
            "2024-00-15",
            "2024-03-00",
            "2024-02-30",
            "２０24-03-15",
        ],
    );
    check_day("%d/%m/%Y", &[("15/03/2024", "2024-03-15")], &["15/03/24", "5/03/2024", "15/3/2024"]);
    check_day(
        "%D",
        &[("03/15/24", "2024-03-15")],
        &["3/15/24", "03/5/24", "03/15/2024", "03/15/4"],
    );
    check_day("%x", &[("03/15/24", "2024-03-15")], &["3/15/24", "03/15/2024"]);
    check_day("%F", &[("2024-03-15", "2024-03-15")], &["24-03-15", "2024-3-15"]);
    check_day("%C%y-%m-%d", &[("2024-03-15", "2024-03-15")], &["224-03-15", "24-03-15"]);
    check_day(
        "%y%m%d",
        &[("240315", "2024-03-15"), ("700101", "1970-01-01")],
        &["24315", "2024031"],
    );
    check_day("%Y%m%d", &[("20240315", "2024-03-15")], &["2024315", "240315", "020240315"]);
    check_day(
        "%Y-%j",
        &[("2024-075", "2024-03-15"), ("2024-366", "2024-12-31")],
        &["2024-75", "2024-0075", "2024- 75", "2023-366", "2024-000", "2024-367"],
    );
    check_day(
        "%G-W%V-%u",
        &[("2024-W11-5", "2024-03-15")],
        &["24-W11-5", "2024-W1-5", "2024-W011-5", "2024-W11-05", "2024-W11-0", "2024-W00-5"],
    );
    check_day("%g-%V-%u", &[("24-11-5", "2024-03-15")], &["2024-11-5", "4-11-5"]);
    check_day("%Y-%U-%w", &[("2024-10-5", "2024-03-15")], &["2024-9-5", "2024-10-7"]);
    check_day("%Y-%W-%u", &[("2024-11-5", "2024-03-15")], &["2024-1-5", "2024-11-8"]);
    check_day(
        "%v",
        &[("15-Mar-2024", "2024-03-15"), (" 5-Mar-2024", "2024-03-05")],
        &["5-Mar-2024"],
    );
}

#[test]
fn padding_means_what_it_says() {
    check_day(
        "%e.%m.%Y",
        &[("15.03.2024", "2024-03-15"), (" 5.03.2024", "2024-03-05")],
        &["5.03.2024", "05.03.2024", "  5.03.2024", "\t5.03.2024", "  .03.2024"],
    );
    check_day("%_d.%_m.%Y", &[(" 5. 3.2024", "2024-03-05")], &["5.3.2024", "05.03.2024"]);
    check_day("%0e.%m.%Y", &[("05.03.2024", "2024-03-05")], &[" 5.03.2024", "5.03.2024"]);
    check_day(
        "%-d.%-m.%Y",
        &[("5.3.2024", "2024-03-05"), ("15.12.2024", "2024-12-15")],
        &["05.3.2024", "5.03.2024", " 5.3.2024", "155.3.2024", ".3.2024", "0.3.2024"],
    );
    check_day("%-j/%Y", &[("75/2024", "2024-03-15")], &["075/2024"]);
    // A year has four digits all the same.
    for pattern in ["%-Y-%m-%d", "%_Y-%m-%d", "%0Y-%m-%d"] {
        check_day(pattern, &[("2024-03-15", "2024-03-15")], &["24-03-15", "  24-03-15"]);
    }
    for (pattern, good, bad) in [
        ("%Y-%m-%d %k:%M", "2024-03-15  3:05", "2024-03-15 3:05"),
        ("%Y-%m-%d %k:%M", "2024-03-15 23:05", "2024-03-15 03:05"),
        ("%Y-%m-%d %l:%M %p", "2024-03-15  3:05 PM", "2024-03-15 3:05 PM"),
        ("%Y-%m-%d %-H:%M", "2024-03-15 3:05", "2024-03-15 03:05"),
    ] {
        assert!(instant(pattern, good).is_some(), "{good:?} by {pattern}");
        assert_eq!(instant(pattern, bad), None, "{bad:?} by {pattern}");
    }
}

#[test]
fn white_space_is_what_the_pattern_has() {
    check_day(
        "%d %m %Y",
        &[("15 03 2024", "2024-03-15")],
        &["15  03 2024", "15\t03 2024", "1503 2024"],
    );
    check_day("%d  %m%n%Y", &[("15  03\n2024", "2024-03-15")], &["15 03\n2024", "15  03 2024"]);
    check_day("%d%t%m %Y", &[("15\t03 2024", "2024-03-15")], &["15 03 2024"]);
    check_day(" %F", &[(" 2024-03-15", "2024-03-15")], &["2024-03-15", "  2024-03-15"]);
    check_day("%F ", &[("2024-03-15 ", "2024-03-15")], &["2024-03-15"]);
}

#[test]
fn names_are_english_words_in_any_case() {
    let good = [
        ("15 Mar 2024", "2024-03-15"),
        ("15 MAR 2024", "2024-03-15"),
        ("15 mar 2024", "2024-03-15"),
        ("15 May 2024", "2024-05-15"),
    ];
    check_day("%d %b %Y", &good, &["15 March 2024", "15 Ma 2024", "15  Mar 2024", "15 Mär 2024"]);
    check_day("%d %h %Y", &good, &["15 March 2024"]);
    let long = [("15 March 2024", "2024-03-15"), ("15 mARCH 2024", "2024-03-15")];
    check_day("%d %B %Y", &[&long[..], &good].concat(), &["15 Marc 2024", "15 Marchs 2024"]);
    check_day(
        "%a, %d %b %Y",
        &[("Fri, 15 Mar 2024", "2024-03-15"), ("FRI, 15 Mar 2024", "2024-03-15")],
        // A weekday must be that of the day.
        &["Friday, 15 Mar 2024", "Thu, 15 Mar 2024", "Fr, 15 Mar 2024"],
    );
    check_day(
        "%A %F",
        &[("Friday 2024-03-15", "2024-03-15"), ("Fri 2024-03-15", "2024-03-15")],
        &["Frida 2024-03-15"],
    );
    for half in ["PM", "pm", "Pm"] {
        for pattern in ["%F %I:%M %p", "%F %I:%M %P"] {
            let read = instant(pattern, &format!("2024-03-15 03:05 {half}"));
            assert_eq!(read.as_deref(), Some("2024-03-15T15:05:00Z"), "{half} by {pattern}");
        }
    }
    for text in
        ["2024-03-15 03:05 p.m.", "2024-03-15 03:05", "2024-03-15 13:05 PM", "2024-03-15 00:05 AM"]
    {
        assert_eq!(instant("%F %I:%M %p", text), None, "{text}");
    }
}

#[test]
fn a_time_of_day_is_within_its_day() {
    for pattern in ["%F %T", "%F %H:%M:%S", "%F %X", "%F %R:%S"] {
        let read = instant(pattern, "2024-03-15 23:59:59");
        assert_eq!(read.as_deref(), Some("2024-03-15T23:59:59Z"), "{pattern}");
        for time in
            ["24:00:00", "23:60:00", "23:59:60", "3:05:07", "03:5:07", "03:05:7", "-3:05:07"]
        {
            let text = format!("2024-03-15 {time}");
            assert_eq!(instant(pattern, &text), None, "{text} by {pattern}");
            assert_eq!(day(pattern, &text), None, "{text} by {pattern}");
        }
    }
    assert_eq!(instant("%F %r", "2024-03-15 03:05:07 PM").as_deref(), Some("2024-03-15T15:05:07Z"));
    assert_eq!(instant("%F %r", "2024-03-15 3:05:07 PM"), None);
    let ctime = "Fri Mar 15 03:05:07 2024";
    assert_eq!(instant("%c", ctime).as_deref(), Some("2024-03-15T03:05:07Z"));
    assert_eq!(instant("%c", "Tue Mar  5 03:05:07 2024").as_deref(), Some("2024-03-05T03:05:07Z"));
    assert_eq!(instant("%c", "Tue Mar 5 03:05:07 2024"), None);
    assert_eq!(instant("%c", "Tue Mar  5 03:05:60 2024"), None);
}

#[test]
fn a_fraction_has_the_digits_that_the_pattern_says() {
    let day = "2024-03-15T03:05:07";
    for (pattern, good, bad) in [
        ("%.f", &["", ".5", ".123456789"][..], &[".", ".1234567890", "5", ",5", ".5 "][..]),
        ("%.3f", &[".500"], &["", ".5", ".5000", "500", "."]),
        ("%.6f", &[".500000"], &["", ".500", "500000"]),
        ("%.9f", &[".500000000"], &["", ".500000", "500000000"]),
        ("%3f", &["500"], &["", ".500", "5", "5000"]),
        (".%3f", &[".500"], &["500", ".5"]),
        (".%6f", &[".500000"], &[".500"]),
        (".%9f", &[".500000000"], &[".500000"]),
        (".%f", &[".500000000"], &[".5", ".500", ".500000", ".5000000000"]),
    ] {
        // A fraction without its point must not touch the seconds' digits.
        let (head, space) =
            if pattern == "%3f" { (format!("{day} "), " ") } else { (day.to_owned(), "") };
        let pattern = format!("%FT%T{space}{pattern}");
        for fraction in good {
            let text = format!("{head}{fraction}");
            assert!(instant(&pattern, &text).is_some(), "{text} by {pattern}");
        }
        for fraction in bad {
            let text = format!("{head}{fraction}");
            assert_eq!(instant(&pattern, &text), None, "{text} by {pattern}");
        }
    }
    let read = |fraction: &str| instant("%FT%T%.f", &format!("{day}{fraction}"));
    assert_eq!(read(".5").as_deref(), Some("2024-03-15T03:05:07.500Z"));
    assert_eq!(read(".000001").as_deref(), Some("2024-03-15T03:05:07.000001Z"));
    let compact = instant("%Y%m%d%H%M%S%3f", "20240315030507250");
    assert_eq!(compact.as_deref(), Some("2024-03-15T03:05:07.250Z"));
}

#[test]
fn a_zone_is_spelt_as_its_directive_says() {
    let good = [
        ("%z", "+0100"),
        ("%:z", "+01:00"),
        ("%:::z", "+01"),
        ("%#z", "+01"),
        ("%#z", "+0100"),
        ("%#z", "+01:00"),
    ];
    let all = [
        "Z",
        "z",
        "+01",
        "+0100",
        "+01:00",
        " +0100",
        "+1",
        "+100",
        "+1:00",
        "+01 00",
        "+01:0",
        "+2400",
        "+24:00",
        "+24",
        "+0060",
        "+00:60",
        "\u{2212}0100",
        "\u{2212}01:00",
        "0100",
        "UTC",
        "",
    ];
    for directive in ["%z", "%:z", "%:::z", "%#z", "%+"] {
        let pattern =
            if directive == "%+" { directive.to_owned() } else { format!("%FT%T{directive}") };
        for zone in all {
            let text = format!("2024-03-15T03:05:07{zone}");
            let expected = match (directive, zone) {
                ("%#z" | "%+", "Z") => Some("2024-03-15T03:05:07Z"),
                ("%+", "+01:00") => Some("2024-03-15T02:05:07Z"),
                pair if good.contains(&pair) => Some("2024-03-15T02:05:07Z"),
                _ => None,
            };
            assert_eq!(instant(&pattern, &text).as_deref(), expected, "{text} by {pattern}");
        }
    }
    // An offset that is not known is none, as RFC 3339 has it.
    assert_eq!(
        instant("%FT%T%:z", "2024-03-15T03:05:07-00:00").as_deref(),
        Some("2024-03-15T03:05:07Z")
    );
    for text in [
        "2024-03-15t03:05:07Z",
        "2024-03-15 03:05:07Z",
        "24-3-15T03:05:07Z",
        "2024-03-15T03:05:60Z",
    ] {
        assert_eq!(instant("%+", text), None, "{text}");
    }
}

#[test]
fn seconds_since_1970_are_digits() {
    for (text, expected) in [
        ("1598586767", Some("2020-08-28T03:52:47Z")),
        ("0", Some("1970-01-01T00:00:00Z")),
        ("-1", None),
        ("+1", None),
        ("01", None),
        (" 1", None),
        ("1e3", None),
        ("", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(instant("%s", text).as_deref(), expected, "{text:?}");
    }
    assert_eq!(instant("%s%.f", "1598586767.25").as_deref(), Some("2020-08-28T03:52:47.250Z"));
}

#[test]
fn parts_that_contradict_each_other_are_no_time() {
    for (pattern, good, bad) in [
        ("%F %j", "2024-03-15 075", "2024-03-15 076"),
        ("%Y %C-%m-%d", "2024 20-03-15", "2024 19-03-15"),
        ("%F q%q", "2024-03-15 q1", "2024-03-15 q2"),
        ("%F %u", "2024-03-15 5", "2024-03-15 4"),
    ] {
        assert!(day(pattern, good).is_some(), "{good} by {pattern}");
        assert_eq!(day(pattern, bad), None, "{bad} by {pattern}");
    }
    assert!(instant("%F %R %I %p", "2024-03-15 15:05 03 PM").is_some());
    assert_eq!(instant("%F %R %I %p", "2024-03-15 15:05 03 AM"), None);
}

#[test]
fn a_pattern_that_cannot_be_read_in_one_way_is_refused() {
    for (pattern, expected) in [
        ("%Y-%m-%d %Q", "chrono does not know"),
        ("%Y-%m-%", "chrono does not know"),
        ("%F %T %Z", "a zone's name"),
        ("%F %T%::z", "cannot read"),
        ("%-m%-d%Y", "nothing shows where"),
        ("%s%3f", "nothing shows where"),
        ("%-d0%m%Y", "nothing shows where"),
        ("%FT%T%.f%3f", "nothing shows where"),
        ("%FT%T%#z%H", "nothing shows where"),
    ] {
        let error = TimePattern::new(pattern).unwrap_err();
        assert!(error.contains(expected), "{pattern}: {error}");
    }
    for pattern in ["%-d.%-m.%Y", "%s", "%Y%m%d", "%-d%b%Y", "%s%.f", "%FT%T%#z h"] {
        assert!(TimePattern::new(pattern).is_ok(), "{pattern}");
    }
}
