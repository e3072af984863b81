//! The columns of `SELECT *` after `JOIN … USING`.
//!
//! SQL shows each key once, in front of all other columns. Polars 0.55 leaves it at its
//! place in the first table, and shows that of the joined table `b` again, as `k:b`.

use std::collections::BTreeSet;

use sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, Select, SelectFlavor,
    SelectItem, TableFactor, TableWithJoins, Value, WildcardAdditionalOptions,
};

use super::joins;
use super::rewrite::call;
use crate::{Error, Result};

/// Names the keys in front of each `*`, and leaves them out of it.
///
/// # Errors
/// [`Error::Sql`] where the columns cannot be named: for `*` with more than EXCLUDE, and
/// for joins that are not in one line.
pub(super) fn show_keys_once(select: &mut Select) -> Result<()> {
    let stars = select.projection.iter().filter(|item| is_star(item)).count();
    let bare = select.flavor == SelectFlavor::FromFirstNoSelect;
    if (stars == 0 && !bare) || !select.from.iter().any(has_using) {
        return Ok(());
    }
    let keys = SharedKeys::of(&select.from)?;
    if bare {
        select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        select.flavor = SelectFlavor::FromFirst;
    }
    let mut items = Vec::new();
    for item in std::mem::take(&mut select.projection) {
        match item {
            SelectItem::Wildcard(options) => items.extend(keys.columns(&options)?),
            other => items.push(other),
        }
    }
    select.projection = items;
    Ok(())
}

fn is_star(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_))
}

fn has_using(from: &TableWithJoins) -> bool {
    in_brackets(&from.relation)
        || from
            .joins
            .iter()
            .any(|join| in_brackets(&join.relation) || !using(&join.join_operator).is_empty())
}

fn in_brackets(table: &TableFactor) -> bool {
    match table {
        TableFactor::NestedJoin { table_with_joins, .. } => has_using(table_with_joins),
        _ => false,
    }
}

/// The columns that a join goes by, if it says USING.
fn using(join: &JoinOperator) -> &[ObjectName] {
    match joins::constraint(join) {
        Some((JoinConstraint::Using(columns), _)) => columns,
        _ => &[],
    }
}

/// The keys of all joins of a SELECT.
struct SharedKeys {
    /// In the order in which SQL shows them: those of the last join first.
    keys: Vec<Ident>,
    /// Names by which Polars shows the keys of joined tables.
    copies: BTreeSet<String>,
}

impl SharedKeys {
    fn of(from: &[TableWithJoins]) -> Result<SharedKeys> {
        let [first, others @ ..] = from else {
            return Ok(SharedKeys { keys: Vec::new(), copies: BTreeSet::new() });
        };
        let nested = in_brackets(&first.relation)
            || first.joins.iter().any(|join| in_brackets(&join.relation));
        if nested || others.iter().any(has_using) {
            return Err(Error::Sql(
                "SELECT * and USING go with joins in one line: FROM a JOIN b USING (k) JOIN c \
                 USING (k), without brackets, and without a comma before them"
                    .to_owned(),
            ));
        }
        let mut shared = SharedKeys { keys: Vec::new(), copies: BTreeSet::new() };
        for join in &first.joins {
            shared.add(using(&join.join_operator), joins::name(&join.relation).unwrap_or_default());
        }
        Ok(shared)
    }

    fn add(&mut self, columns: &[ObjectName], table: &str) {
        let columns = columns.iter().filter_map(|column| column.0.last()?.as_ident());
        let mut keys: Vec<Ident> = columns.cloned().collect();
        self.copies.extend(keys.iter().map(|key| format!("{}:{table}", key.value)));
        let before = std::mem::take(&mut self.keys);
        let others = before.into_iter().filter(|key| keys.iter().all(|k| k.value != key.value));
        let others: Vec<Ident> = others.collect();
        keys.extend(others);
        self.keys = keys;
    }

    /// What `*` stands for.
    fn columns(&self, options: &WildcardAdditionalOptions) -> Result<Vec<SelectItem>> {
        let left_out = left_out(options)?;
        let shown = self.keys.iter().filter(|key| !left_out.contains(&key.value));
        let shown = shown.map(|key| SelectItem::UnnamedExpr(Expr::Identifier(key.clone())));
        let mut names = self.copies.clone();
        names.extend(self.keys.iter().map(|key| key.value.clone()));
        names.extend(left_out.iter().cloned());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let others = format!("^(?s:{})$", other_than(&names));
        let others = call("COLUMNS", vec![Expr::value(Value::SingleQuotedString(others))]);
        Ok(shown.chain([SelectItem::UnnamedExpr(others)]).collect())
    }
}

/// The columns that `* EXCLUDE (…)` or `* EXCEPT (…)` leaves out.
fn left_out(options: &WildcardAdditionalOptions) -> Result<BTreeSet<String>> {
    let WildcardAdditionalOptions { opt_exclude, opt_except, .. } = options;
    let rest = WildcardAdditionalOptions { opt_exclude: None, opt_except: None, ..options.clone() };
    if rest != WildcardAdditionalOptions::default() {
        return Err(Error::Sql(format!(
            "SELECT *{options} after USING: put the join into WITH x AS (SELECT * …) first, and \
             say this of the columns of x"
        )));
    }
    let mut names = BTreeSet::new();
    let last = |name: &ObjectName| Some(name.0.last()?.as_ident()?.value.clone());
    match opt_exclude {
        Some(ExcludeSelectItem::Single(column)) => names.extend(last(column)),
        Some(ExcludeSelectItem::Multiple(columns)) => names.extend(columns.iter().filter_map(last)),
        None => {}
    }
    if let Some(except) = opt_except {
        let columns = std::iter::once(&except.first_element).chain(&except.additional_elements);
        names.extend(columns.map(|column| column.value.clone()));
    }
    Ok(names)
}

/// Returns a regular expression for all texts but these; the engine has no "not".
fn other_than(texts: &[&str]) -> String {
    let mut choices = Vec::new();
    if !texts.contains(&"") {
        choices.push(String::new());
    }
    let firsts: BTreeSet<char> = texts.iter().filter_map(|text| text.chars().next()).collect();
    // After a first letter that one of the texts has, the rest must differ from theirs.
    for first in &firsts {
        let rests: Vec<&str> = texts.iter().filter_map(|text| text.strip_prefix(*first)).collect();
        choices.push(format!("{}{}", escaped(*first), other_than(&rests)));
    }
    choices.push(match firsts.is_empty() {
        true => ".+".to_owned(),
        false => format!("[^{}].*", firsts.into_iter().map(escaped).collect::<String>()),
    });
    format!("(?:{})", choices.join("|"))
}

fn escaped(letter: char) -> String {
    regex::escape(letter.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_all_texts_but_some() {
        let texts =
            ["", "k", "k:b", "kk", "a", "ab:c", "[^-]", "ü", "x.y", "k:", "k:bc", "b", "\n"];
        for taken in 0..1_u32 << texts.len() {
            // Every third set is plenty.
            if taken % 3 != 0 {
                continue;
            }
            let is_out = |at: usize| taken >> at & 1 == 1;
            let out: Vec<&str> =
                (0..texts.len()).filter(|at| is_out(*at)).map(|at| texts[at]).collect();
            let pattern = regex::Regex::new(&format!("^(?s:{})$", other_than(&out))).unwrap();
            for (at, text) in texts.iter().enumerate() {
                assert_eq!(pattern.is_match(text), !is_out(at), "{text:?} of {out:?}");
            }
        }
    }
}
