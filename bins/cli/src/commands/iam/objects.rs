//! Objects of IAM as they are printed: one table for many, a line for each field of one.

use crate::commands::times;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Cell, Look, Table};
use crate::prompt;
use serde::Serialize;
use serde_json::{Value, json};

/// Columns of a table: their headings, and where in an object they are found.
pub(super) type Columns<const N: usize> = [(&'static str, &'static str); N];

/// What most objects have.
pub(super) const NAMED: Columns<4> =
    [("SLUG", "/slug"), ("NAME", "/name"), ("IDENTITY", "/identity"), ("DESCRIPTION", "/description")];

/// Prints many.
pub(super) fn list<T: Serialize, const N: usize>(
    context: &Context,
    objects: &[T],
    columns: Columns<N>,
) -> Result<(), Failure> {
    let objects = read(objects)?;
    output::show(context.terminal, &objects, || {
        let mut table = Table::new(columns.map(|(heading, _)| heading));
        for object in objects.as_array().into_iter().flatten() {
            table.row(columns.map(|(_, place)| cell(place, object.pointer(place))));
        }
        table
    })
}

/// Prints one.
pub(super) fn show<T: Serialize>(context: &Context, object: &T) -> Result<(), Failure> {
    let object = read(object)?;
    output::show(context.terminal, &object, || {
        let mut fields: Vec<_> = object.as_object().into_iter().flatten().collect();
        // What it is called first, the rest as it comes.
        fields
            .sort_by_key(|(name, _)| ["name", "slug", "identity"].iter().position(|first| first == name).unwrap_or(3));
        let fields = fields.into_iter().flat_map(|(name, value)| {
            let name = field_name(name);
            let values = match value {
                Value::Array(values) if values.is_empty() => vec![&Value::Null],
                Value::Array(values) => values.iter().collect(),
                value => vec![value],
            };
            values.into_iter().map(move |value| [Cell::new(name.as_str(), Look::Strong), cell(&name, Some(value))])
        });
        let mut table = Table::of_fields([]);
        fields.for_each(|field| table.row(field));
        table
    })
}

/// Asks, removes, and says so.
pub(super) async fn delete(
    context: &Context,
    what: &str,
    name: &str,
    yes: bool,
    remove: impl Future<Output = Result<(), strongroom_client::Error>>,
) -> Result<(), Failure> {
    prompt::confirm(&format!("Delete the {what} {name}?"), yes)?;
    remove.await?;
    output::done(context.terminal, &json!({"deleted": name}), &format!("Deleted the {what} {name}."))
}

fn read<T: Serialize + ?Sized>(object: &T) -> Result<Value, Failure> {
    serde_json::to_value(object).map_err(|error| {
        Failure::failed("the answer cannot be shown")
            .hint("is the server newer than this program? What was asked for was done")
            .because(error)
    })
}

/// `createdAt` as `created at`.
fn field_name(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

fn cell(place: &str, value: Option<&Value>) -> Cell {
    let text = value.map(text).unwrap_or_default();
    match place {
        "/status" | "status" => Cell::status(&text),
        _ if place.ends_with("At") || place.ends_with(" at") => times::shown(&text).into(),
        _ => text.into(),
    }
}

/// A value in a line: texts as they are, lists joined, other objects by their name and identity.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => (if *yes { "yes" } else { "no" }).to_owned(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(" "),
        Value::Object(object) => {
            let of = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            let identity = of("identity").or_else(|| of("subject"));
            match (of("name"), identity) {
                (Some(name), Some(identity)) => format!("{name} ({identity})"),
                _ => object.iter().map(|(name, value)| format!("{name}={}", text(value))).collect::<Vec<_>>().join(" "),
            }
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{field_name, text};
    use serde_json::json;

    #[test]
    fn values_fit_into_a_line() {
        assert_eq!(text(&json!(["a", "b"])), "a b");
        assert_eq!(text(&json!({"identity": "u-1", "name": "Ada", "slug": "ada"})), "Ada (u-1)");
        assert_eq!(text(&json!({"subject": "u-1", "name": "Ada"})), "Ada (u-1)");
        assert_eq!(text(&json!({"team": "a", "n": 1})), "n=1 team=a");
        assert_eq!((text(&json!(null)), text(&json!(true))), (String::new(), "yes".to_owned()));
        assert_eq!(field_name("createdAt"), "created at");
    }
}
