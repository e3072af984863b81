//! SQL as text → what it asks for, and of which tables.
//!
//! Polars parses the text once more; here it is looked at first, so that only
//! the tables that it names are opened, nothing but a question gets through, and
//! nothing that would take the engine down.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    ExcludeSelectItem, Expr, ObjectName, Query, Select, SelectItem, Statement as Parsed,
    TableFactor, Visitor,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::visit::{self, Halt, go_on_if};
use super::{joins, rewrite, windows};
use crate::{Error, Result};

/// A statement that asks something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// A query, or the plan of one: its tables, and the SQL for Polars.
    Query(Names, String),
    /// Which tables there are.
    ShowTables,
    /// Which columns a table has.
    Describe(String),
}

/// The tables that a query names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Those that have to be there.
    pub(super) tables: BTreeSet<String>,
    /// Those that it defines itself, by `WITH`.
    pub(super) defined: BTreeSet<String>,
    /// The columns that `* EXCLUDE (…)` leaves out of tables alone.
    pub(super) excluded: BTreeSet<String>,
}

/// How deep an expression may be; Polars goes down a level for each operator.
const DEPTH: usize = 64;

/// How many SELECTs and JOINs there may be: the plan of them is as deep.
const RELATIONS: usize = 128;

/// How many tokens may be joined by operators before the text is parsed at all:
/// the tree of them is as deep as they are many.
const OPERATORS: usize = 4096;

/// Reads one statement.
///
/// # Errors
/// [`Error::Sql`]
pub(super) fn parse(sql: &str) -> Result<Statement> {
    of(read(sql)?)
}

fn read(sql: &str) -> Result<Parsed> {
    let dialect = GenericDialect;
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location();
    let mut tokens = tokens.map_err(|e| no_sql(&e.to_string()))?;
    quote_user(&mut tokens);
    if tokens.iter().filter(|token| joins(&token.token)).count() > OPERATORS {
        return Err(too_deep());
    }
    // As Polars has it.
    let options = ParserOptions { trailing_commas: true, ..ParserOptions::default() };
    let parsed = Parser::new(&dialect)
        .with_options(options)
        .with_tokens_with_locations(tokens)
        .parse_statements();
    let mut statements = parsed.map_err(|error| match error {
        ParserError::RecursionLimitExceeded => too_deep(),
        ParserError::TokenizerError(problem) | ParserError::ParserError(problem) => {
            no_sql(&problem)
        }
    })?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (None, _) => Err(Error::Sql("there is no SQL: it is empty".to_owned())),
        (Some(_), false) => {
            Err(Error::Sql("this is more than one statement: give one at a time".to_owned()))
        }
    }
}

/// `user` is a word of SQL, and a table's name: before a dot it is that.
fn quote_user(tokens: &mut [TokenWithSpan]) {
    for at in 1..tokens.len() {
        let (before, after) = tokens.split_at_mut(at);
        if let (Some(word), Some(dot)) = (before.last_mut(), after.first())
            && let Token::Word(word) = &mut word.token
            && word.keyword == Keyword::USER
            && dot.token == Token::Period
        {
            (word.quote_style, word.keyword) = (Some('"'), Keyword::NoKeyword);
        }
    }
}

fn of(mut statement: Parsed) -> Result<Statement> {
    match &statement {
        Parsed::Query(_) => query(&mut statement),
        Parsed::Explain { statement: inner, .. } if matches!(**inner, Parsed::Query(_)) => {
            query(&mut statement)
        }
        Parsed::ShowTables { .. } if statement.to_string() == "SHOW TABLES" => {
            Ok(Statement::ShowTables)
        }
        Parsed::ShowTables { .. } => Err(Error::Sql(
            "SHOW TABLES goes without LIKE and all else: it shows all tables".to_owned(),
        )),
        Parsed::ExplainTable { table_name, .. } => Ok(Statement::Describe(name_of(table_name)?)),
        other => {
            let other = other.to_string();
            let verb = other.split_whitespace().next().unwrap_or_default().to_uppercase();
            Err(Error::Sql(format!(
                "{verb} is no question: only SELECT, WITH, VALUES, EXPLAIN, DESCRIBE and SHOW \
                 TABLES are answered, and no table is changed"
            )))
        }
    }
}

fn query(statement: &mut Parsed) -> Result<Statement> {
    rewrite::name_no_windows(statement);
    let names = names(statement)?;
    let sql = rewrite::rewritten(statement)?;
    match read(&sql) {
        Ok(again) if again.to_string() == sql => Ok(Statement::Query(names, sql)),
        _ => Err(Error::Sql(
            "the SQL engine cannot be told this: put brackets around its parts".to_owned(),
        )),
    }
}

fn names(statement: &Parsed) -> Result<Names> {
    let mut walk = Walk::default();
    visit::read(statement, &mut walk)?;
    let Walk { mut names, .. } = walk;
    names.tables.retain(|name| !names.defined.contains(name));
    Ok(names)
}

#[derive(Default)]
struct Walk {
    names: Names,
    depth: usize,
    relations: usize,
}

impl Visitor for Walk {
    type Break = Halt;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Halt> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        self.names.defined.extend(ctes.map(|cte| cte.alias.name.value.clone()));
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Halt> {
        go_on_if(name_of(relation).map(|name| _ = self.names.tables.insert(name)))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Halt> {
        go_on_if(match factor {
            TableFactor::Table { name, args: Some(_), .. } => {
                Err(Error::Sql(format!("{name}(…) reads what is no table of these: name a table")))
            }
            _ => Ok(()),
        })
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Halt> {
        self.relations += 1 + select.from.iter().map(|from| from.joins.len()).sum::<usize>();
        if self.relations > RELATIONS {
            return go_on_if(Err(Error::Sql(format!(
                "this has more than {RELATIONS} SELECTs and JOINs: ask in several steps"
            ))));
        }
        self.names.excluded.extend(excluded(select));
        go_on_if(joins::check(select).and_then(|()| windows::check(select)))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Halt> {
        self.depth += levels(expr);
        if self.depth > DEPTH {
            return go_on_if(Err(too_deep()));
        }
        match expr {
            Expr::Function(function) => go_on_if(windows::check_function(function)),
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Halt> {
        self.depth -= levels(expr);
        ControlFlow::Continue(())
    }
}

/// The columns that `* EXCLUDE (…)` names, if FROM has tables only.
fn excluded(select: &Select) -> Vec<String> {
    let factors = select.from.iter().flat_map(|from| {
        let joined = from.joins.iter().map(|join| &join.relation);
        std::iter::once(&from.relation).chain(joined)
    });
    let mut factors = factors.map(|factor| matches!(factor, TableFactor::Table { .. }));
    if !factors.all(|table| table) {
        return Vec::new();
    }
    let columns = select.projection.iter().flat_map(|item| {
        let (SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options)) = item
        else {
            return Vec::new();
        };
        match &options.opt_exclude {
            Some(ExcludeSelectItem::Single(column)) => vec![column.clone()],
            Some(ExcludeSelectItem::Multiple(columns)) => columns.clone(),
            None => Vec::new(),
        }
    });
    columns.filter_map(|column| name_of(&column).ok()).collect()
}

/// How many levels Polars goes down for an expression: each WHEN stands in the
/// ELSE of the one before.
fn levels(expr: &Expr) -> usize {
    match expr {
        Expr::Case { conditions, .. } => conditions.len(),
        _ => 1,
    }
}

/// A table's name, which has one part.
fn name_of(name: &ObjectName) -> Result<String> {
    match name.0.as_slice() {
        [part] if let Some(ident) = part.as_ident() => Ok(ident.value.clone()),
        _ => Err(Error::Sql(format!("{name} is no table's name: it has one part, such as pin"))),
    }
}

/// Whether a token joins what follows to what stands before it.
fn joins(token: &Token) -> bool {
    match token {
        Token::Word(word) if word.quote_style.is_none() => {
            let joining = ["AND", "OR", "XOR", "IS", "LIKE", "ILIKE", "BETWEEN", "NOT"];
            joining.iter().any(|known| word.value.eq_ignore_ascii_case(known))
        }
        Token::Word(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Whitespace(_)
        | Token::Comma
        | Token::Period
        | Token::SemiColon
        | Token::LParen
        | Token::RParen
        | Token::EOF => false,
        _ => true,
    }
}

fn too_deep() -> Error {
    Error::Sql(format!(
        "an expression goes too deep: more than {DEPTH} operators, brackets or WHENs in it; use \
         IN (…), or compute parts of it in WITH"
    ))
}

/// What the parser says, without its own name.
fn no_sql(problem: &str) -> Error {
    let problem = problem.trim_start_matches("sql parser error: ");
    Error::Sql(format!("this is no SQL: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_the_tables_that_are_read_are_named() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("SELECT 1", &[], &[]),
            ("SELECT * FROM pin;", &["pin"], &[]),
            (
                "SELECT p.a FROM pin p JOIN geo AS g ON p.ind = g.ind, user",
                &["geo", "pin", "user"],
                &[],
            ),
            ("SELECT a FROM pin WHERE ind IN (SELECT ind FROM geo)", &["geo", "pin"], &[]),
            ("SELECT (SELECT max(x) FROM t) FROM pin", &["pin", "t"], &[]),
            (
                "WITH a AS (SELECT * FROM pin), b AS (SELECT * FROM a) SELECT * FROM b",
                &["pin"],
                &["a", "b"],
            ),
            ("SELECT * FROM (SELECT * FROM geo) AS sub", &["geo"], &[]),
            (
                "SELECT * FROM pin UNION ALL SELECT * FROM \"shop-orders\"",
                &["pin", "shop-orders"],
                &[],
            ),
            ("SELECT 1 FROM pin a JOIN pin b ON a.n + 1 = b.n AND a.x < 3", &["pin"], &[]),
            ("SELECT 1 FROM pin JOIN geo ON n = m", &["geo", "pin"], &[]),
            ("SELECT user.ind, user.* FROM pin JOIN user ON pin.n = user.n", &["pin", "user"], &[]),
            ("VALUES (1), (2)", &[], &[]),
            ("EXPLAIN SELECT * FROM pin", &["pin"], &[]),
            ("-- a comment\nSELECT * FROM pin", &["pin"], &[]),
        ];
        for (sql, tables, defined) in cases {
            let expected = Names { tables: set(tables), defined: set(defined), ..Names::default() };
            let Statement::Query(names, _) = parse(sql).unwrap() else { panic!("{sql}") };
            assert_eq!(names, expected, "{sql}");
        }
        assert_eq!(parse("show tables").unwrap(), Statement::ShowTables);
        for sql in ["DESCRIBE pin", "desc pin", "EXPLAIN pin"] {
            assert_eq!(parse(sql).unwrap(), Statement::Describe("pin".into()), "{sql}");
        }
    }

    #[test]
    fn what_is_no_question_is_refused() {
        for (sql, message) in [
            ("", "there is no SQL"),
            (" ; ", "there is no SQL"),
            ("-- nothing", "there is no SQL"),
            ("SELECT 1; SELECT 2", "more than one statement"),
            ("DROP TABLE pin", "DROP is no question"),
            ("DELETE FROM pin", "DELETE is no question"),
            ("TRUNCATE TABLE pin", "TRUNCATE is no question"),
            ("INSERT INTO pin VALUES (1)", "INSERT is no question"),
            ("UPDATE pin SET a = 1", "UPDATE is no question"),
            ("CREATE TABLE a AS SELECT * FROM pin", "CREATE is no question"),
            ("EXPLAIN DELETE FROM pin", "EXPLAIN is no question"),
            ("SELEC 1", "this is no SQL: Expected: an SQL statement, found: SELEC"),
            ("SELECT * FROM", "this is no SQL"),
            ("SELECT 'a", "this is no SQL"),
            (
                "SELECT 1 FROM a JOIN b ON a.n = b.n AND b.x = 1",
                "ON b.x = 1: a condition of a join has to compare columns of both tables",
            ),
            ("SELECT 1 FROM a LEFT JOIN b ON (a.n = b.n AND 'x' = lower(b.x))", "of both tables"),
            ("SELECT 1 FROM a SEMI JOIN b ON a.n = a.m", "of both tables"),
            (
                "SELECT 1 FROM a LEFT JOIN b ON a.n = b.n AND a.x < b.x",
                "ON a.x < b.x: only an inner join can have a condition other than =",
            ),
            ("SELECT 1 FROM a FULL JOIN b ON a.n = b.n OR a.x = b.x", "only an inner join"),
            ("SELECT * FROM clean.pin", "clean.pin is no table's name"),
            ("SELECT * FROM read_csv('/etc/passwd')", "reads what is no table"),
        ] {
            let error = parse(sql).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{sql}");
            assert!(error.to_string().contains(message), "{sql}: {error}");
        }
    }

    #[test]
    fn an_expression_may_be_long_and_not_deep() {
        let sum = |n: usize| format!("SELECT {}1", "1 + ".repeat(n));
        let list = |n: usize| format!("SELECT a IN ({}1) FROM t", "1, ".repeat(n));
        let brackets = |n: usize| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n));
        for (sql, good) in [
            (sum(DEPTH - 2), true),
            (sum(DEPTH), false),
            (sum(1_000_000), false),
            (list(100_000), true),
            (brackets(20), true),
            (brackets(100), false),
            (brackets(1_000_000), false),
            (format!("SELECT {}true", "NOT ".repeat(200_000)), false),
            (format!("SELECT {}true", "NOT ".repeat(200)), false),
            (format!("SELECT CASE{} END", " WHEN a THEN 1".repeat(1000)), false),
        ] {
            let parsed = parse(&sql);
            assert_eq!(parsed.is_ok(), good, "{}…: {parsed:?}", &sql[..40.min(sql.len())]);
            if let Err(error) = parsed {
                let error = error.to_string();
                // The parser has words of its own for the one.
                assert!(error.contains("too deep") || sql.starts_with("SELECT NOT"), "{error}");
            }
        }
        for many in [" UNION ALL SELECT 1", " JOIN a ON b"] {
            let sql = format!("SELECT 1 FROM t{}", many.repeat(RELATIONS));
            let error = parse(&sql).unwrap_err().to_string();
            assert!(error.contains("more than 128 SELECTs and JOINs"), "{error}");
        }
    }
}
