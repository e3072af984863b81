//! Each question with each value of each parameter, worked out by hand.

use super::{answer, records};

/// The question and what is set, and the rows, as CSV. A blank stands for a
/// line's end, `-` for no value at the end of a row.
const ANSWERS: &[(&str, &str)] = &[
    (
        "top-category-by-country",
        "Chad,art,2 Fiji,art,1 Fiji,music,1 Niue,tech,1 Oman,art,1 Oman,music,1 Oman,tech,1 \
         Peru,music,2 Togo,art,1 Togo,music,1",
    ),
    (
        "top-category-by-country ties=one",
        "Chad,art,2 Fiji,art,1 Niue,tech,1 Oman,art,1 Peru,music,2 Togo,art,1",
    ),
    (
        "posts-by-category-and-year",
        "2018,art,2 2018,music,1 2019,art,2 2019,music,2 2020,art,1 2020,music,1 2021,art,1 \
         2021,music,1",
    ),
    ("posts-by-category-and-year from=2023 to=2023", "2023,art,1"),
    ("posts-by-category-and-year from=-5 to=2017", "2016,tech,1 2017,music,1"),
    ("posts-by-category-and-year from=2022 to=2018", ""),
    (
        "top-category-by-year",
        "2016,tech,1 2017,music,1 2018,art,2 2019,art,2 2019,music,2 2020,art,1 2020,music,1 \
         2021,art,1 2021,music,1 2023,art,1",
    ),
    (
        "top-category-by-year ties=one",
        "2016,tech,1 2017,music,1 2018,art,2 2019,art,2 2020,art,1 2021,art,1 2023,art,1",
    ),
    (
        "top-poster-by-country",
        "Chad,Cy,3000 Fiji,Hui,9000000 Niue,Jo,1 Oman,Gil,9000000 Peru,Ed,8000 Peru,Flo,8000 \
         Togo,Lu,6000",
    ),
    (
        "top-poster-by-country ties=one",
        "Chad,Cy,3000 Fiji,Hui,9000000 Niue,Jo,1 Oman,Gil,9000000 Peru,Ed,8000 Togo,Lu,6000",
    ),
    ("top-country-by-followers", "Fiji,9000000 Oman,9000000"),
    ("top-country-by-followers ties=one", "Fiji,9000000"),
    (
        "top-category-by-age-group",
        "18-24,art,1 18-24,music,1 18-24,tech,1 25-35,music,2 36-50,art,1 36-50,music,1 50+,art,2",
    ),
    ("top-category-by-age-group ties=one", "18-24,art,1 25-35,music,2 36-50,art,1 50+,art,2"),
    ("median-followers-by-age-group", "18-24,3000 25-35,8000 36-50,4000 50+,6000"),
    (
        "median-followers-by-age-group median=interpolated",
        "18-24,3000.0 25-35,8000.0 36-50,6000.0 50+,4503000.0",
    ),
    ("median-followers-by-age-group distinct=none", "18-24,2000 25-35,5000 36-50,4000 50+,6000"),
    (
        "median-followers-by-age-group distinct=none median=interpolated",
        "18-24,2000.0 25-35,6500.0 36-50,6000.0 50+,4503000.0",
    ),
    ("median-followers-by-join-year", "2015,1000 2016,4000 2017,8000"),
    ("median-followers-by-join-year median=interpolated", "2015,1500.0 2016,4000.0 2017,4504000.0"),
    ("median-followers-by-join-year distinct=none", "2015,2000 2016,4000 2017,8000"),
    (
        "median-followers-by-join-year distinct=none median=interpolated",
        "2015,2000.0 2016,4000.0 2017,4504000.0",
    ),
    (
        "median-followers-by-age-group-and-join-year",
        "18-24,2015,2000 18-24,2016,3000 25-35,2016,8000 25-35,2017,- 36-50,2016,4000 \
         36-50,2017,8000 50+,2017,6000",
    ),
    (
        "median-followers-by-age-group-and-join-year median=interpolated",
        "18-24,2015,2000.0 18-24,2016,3000.0 25-35,2016,8000.0 25-35,2017,- 36-50,2016,4000.0 \
         36-50,2017,8000.0 50+,2017,4503000.0",
    ),
    (
        "median-followers-by-age-group-and-join-year distinct=none",
        "18-24,2015,2000 18-24,2016,3000 25-35,2016,5000 25-35,2017,- 36-50,2016,4000 \
         36-50,2017,8000 50+,2017,6000",
    ),
    (
        "median-followers-by-age-group-and-join-year distinct=none median=interpolated",
        "18-24,2015,2000.0 18-24,2016,3000.0 25-35,2016,6500.0 25-35,2017,- 36-50,2016,4000.0 \
         36-50,2017,8000.0 50+,2017,4503000.0",
    ),
    ("users-joined-by-year", "2015,4 2016,4 2017,9"),
    ("users-joined-by-year distinct=none", "2015,4 2016,4 2017,9"),
    ("users-joined-by-year count=names", "2015,3 2016,4 2017,8"),
    ("users-joined-by-year count=rows", "2015,5 2016,4 2017,9"),
    ("users-joined-by-year count=rows distinct=none", "2015,6 2016,4 2017,9"),
];

#[test]
fn every_answer_is_the_one_that_was_worked_out_by_hand() {
    let scratch = tempfile::tempdir().unwrap();
    records::clean(scratch.path(), "clean");
    for (question, rows) in ANSWERS {
        let mut words = question.split(' ');
        let name = words.next().unwrap();
        let set: Vec<&str> = words.flat_map(|pair| ["--set", pair]).collect();
        let args = [&[name, "--format", "csv"][..], &set].concat();
        let told = answer(scratch.path(), "clean", &args);
        let told: Vec<&str> = told.lines().skip(1).collect();
        let rows: Vec<String> = rows.split_whitespace().map(|row| row.replace(",-", ",")).collect();
        assert_eq!(told, rows, "{question}");
    }
}
