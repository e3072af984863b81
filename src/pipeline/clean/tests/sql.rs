//! Columns that are SQL expressions.

use super::{check_table, column};

#[test]
fn a_hidden_column_serves_sql_and_is_not_written() {
    check_table(&[(
        "fields = [\"zip\"]\n\
         [[column]]\nname = \"raw\"\ntype = \"string\"\nfield = \"city\"\nhidden = true\nrequired = true\n\
         [[column]]\nname = \"city\"\ntype = \"string\"\nsql = \"concat(zip, ' ', upper(raw))\"\n\
         [[column]]\nname = \"size\"\ntype = \"int32\"\nsql = \"length(city)\"\nrange = { max = 9 }\n",
        &[
            ("{\"city\":\"Bonn\",\"zip\":53111}", "range size"),
            ("{\"city\":\"Ulm\",\"zip\":89}", "city=\"89 ULM\" size=6"),
            ("{\"city\":null,\"zip\":89}", "required raw"),
        ],
    )]);
}

#[test]
fn sql_sees_cleaned_values() {
    let age = "[[column]]\nname = \"age\"\ntype = \"int32\"\nfield = \"age\"\non_error = \"null\"\n\
               range = { min = 0, max = 120 }\n";
    let sql = |ty: &str, sql: &str| {
        format!("{age}[[column]]\nname = \"s\"\ntype = \"{ty}\"\nsql = \"{sql}\"\n")
    };
    check_table(&[
        (
            &sql("string", "CASE WHEN age < 18 THEN 'young' WHEN age >= 18 THEN 'old' END"),
            &[
                ("{\"age\":7}", "age=7 s=\"young\""),
                ("{\"age\":\"70\"}", "age=70 s=\"old\""),
                // Not the value that the column does not take.
                ("{\"age\":-7}", "age=null s=null"),
                ("{\"age\":\"x\"}", "age=null s=null"),
            ],
        ),
        (&sql("int64", "age * 2"), &[("{\"age\":60}", "age=60 s=120")]),
        (&sql("float64", "age / 2"), &[("{\"age\":7}", "age=7 s=3.5")]),
        (&sql("bool", "age > 17"), &[("{\"age\":18}", "age=18 s=true")]),
    ]);
}

#[test]
fn what_sql_gives_must_be_of_the_column_s_type_without_loss() {
    let sql = |ty: &str, sql: &str| {
        let fields = if sql.contains('x') { "fields = [\"x\"]\n" } else { "" };
        let a = column("type = \"int32\"");
        format!("{fields}{a}[[column]]\nname = \"s\"\ntype = \"{ty}\"\nsql = \"{sql}\"\n")
    };
    check_table(&[
        (
            &sql("int32", "upper(x)"),
            &[
                ("{\"x\":\"7\"}", "a=null s=7"),
                ("{\"x\":\"no\"}", "type s"),
                ("{\"x\":null}", "a=null s=null"),
            ],
        ),
        (
            &sql("int32", "a / 2 + length(x) * 0"),
            &[("{\"a\":4,\"x\":\"\"}", "a=4 s=2"), ("{\"a\":3,\"x\":\"\"}", "type s")],
        ),
        (
            &sql("float64", "length(x) / a"),
            &[
                ("{\"a\":2,\"x\":\"b\"}", "a=2 s=0.5"),
                ("{\"a\":0,\"x\":\"b\"}", "not_finite s"),
                ("{\"a\":0,\"x\":\"\"}", "not_finite s"),
            ],
        ),
        // A text becomes a number as that of a field does.
        (
            &sql("int32", "lower(x)"),
            &[
                ("{\"x\":\"7.0\"}", "a=null s=7"),
                ("{\"x\":\"2147483648\"}", "overflow s"),
                ("{\"x\":\"+7\"}", "type s"),
                ("{\"x\":\" 7\"}", "type s"),
                ("{\"x\":\"7.5\"}", "type s"),
            ],
        ),
        (
            &sql("float64", "lower(x)"),
            &[
                ("{\"x\":\".5\"}", "a=null s=0.5"),
                ("{\"x\":\"9007199254740992\"}", "a=null s=9007199254740992.0"),
                ("{\"x\":\"9007199254740993\"}", "overflow s"),
                ("{\"x\":\"1e-400\"}", "overflow s"),
                ("{\"x\":\"nan\"}", "not_finite s"),
                ("{\"x\":\"+1\"}", "type s"),
                ("{\"x\":null}", "a=null s=null"),
            ],
        ),
        // An integer that no double holds.
        (
            &sql("float64", "a * 9007199254740991"),
            &[
                ("{\"a\":1}", "a=1 s=9007199254740991.0"),
                ("{\"a\":3}", "overflow s"),
                ("{\"a\":null}", "a=null s=null"),
            ],
        ),
        // 32 bits are not enough on the way.
        (
            &sql("int64", "a * 2000000000"),
            &[("{\"a\":2000000000}", "a=2000000000 s=4000000000000000000")],
        ),
        (&sql("int32", "a * 2"), &[("{\"a\":2000000000}", "type s")]),
        (&sql("string", "a + 1"), &[("{\"a\":7}", "a=7 s=\"8\"")]),
        (&sql("int32", "length(x) / a"), &[("{\"a\":0,\"x\":\"b\"}", "type s")]),
    ]);
}

#[test]
fn sql_casts_times_to_other_times_and_to_texts() {
    check_table(&[(
        "[[column]]\nname = \"at\"\ntype = \"timestamp\"\nfield = \"at\"\n\
         [[column]]\nname = \"day\"\ntype = \"date\"\nsql = \"CAST(at AS DATE)\"\n\
         [[column]]\nname = \"s\"\ntype = \"string\"\nsql = \"CAST(day AS VARCHAR)\"\n",
        &[(
            "{\"at\":\"2020-08-28T03:52:47Z\"}",
            "at=\"2020-08-28T03:52:47Z\" day=\"2020-08-28\" s=\"2020-08-28\"",
        )],
    )]);
}

#[test]
fn a_field_that_sql_names_may_be_called_anything() {
    check_table(&[(
        "fields = [\"0\", \"1.0\"]\n\
         [[column]]\nname = \"a\"\ntype = \"string\"\nfield = \"x\"\n\
         [[column]]\nname = \"b\"\ntype = \"string\"\nfield = \"y\"\n\
         [[column]]\nname = \"s\"\ntype = \"string\"\nsql = '''concat(\"0\", \"1.0\", a)'''\n",
        &[(
            "{\"x\":\"ax\",\"y\":\"by\",\"0\":\"zero\",\"1.0\":\"one\"}",
            "a=\"ax\" b=\"by\" s=\"zerooneax\"",
        )],
    )]);
}
