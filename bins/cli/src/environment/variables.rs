//! Which variables secrets become.

use super::names;
use crate::commands::path;
use crate::failure::Failure;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use strongroom_client::{Plain, Value};

/// A name that somebody chose: `NAME=/path`, or `NAME=/path#key`.
#[derive(Clone)]
pub(crate) struct Mapping {
    name: String,
    pub(crate) path: String,
    key: Option<String>,
}

impl Mapping {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let form = "as NAME=/path or NAME=/path#key";
        let (name, secret) = text.split_once('=').ok_or(form)?;
        if !names::is_name(name) {
            return Err("a name has letters, digits and _, and no digit in front".to_owned());
        }
        let (path, key) = match secret.split_once('#') {
            Some((_, "")) => return Err(form.to_owned()),
            Some((path, key)) => (path, Some(key.to_owned())),
            None => (secret, None),
        };
        Ok(Self { name: name.to_owned(), path: path::secret(path)?, key })
    }
}

/// Secrets by path, and whether their names are to be made of their paths, or somebody chose them all.
pub(crate) type Values = BTreeMap<String, (Value, Naming)>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    ByPath,
    Chosen,
}

/// The variables, each name once.
pub(crate) fn of<'a>(
    values: &'a Values,
    mappings: &[Mapping],
    prefix: &str,
) -> Result<Vec<(String, &'a OsStr)>, Failure> {
    let mut variables = Variables { given: Vec::new(), origins: BTreeMap::new() };
    for mapping in mappings {
        // What is missing was decided on before.
        if let Some((value, _)) = values.get(&mapping.path) {
            variables.add_mapped(mapping, value)?;
        }
    }
    let is_chosen = |path: &str, key: Option<&str>| {
        mappings.iter().any(|mapping| mapping.path == path && (mapping.key.is_none() || mapping.key.as_deref() == key))
    };
    for (path, (value, naming)) in values {
        let add = |variables: &mut Variables<'a>, key: Option<&str>, plain: &'a Plain| {
            if *naming == Naming::Chosen || is_chosen(path, key) {
                return Ok(());
            }
            let origin = names::origin(path, key);
            let name = names::harmless(prefix, path, key).map_err(|reserved| {
                let hint = format!(
                    "if that is meant: --map {}={origin}; else --prefix, or another name by --map",
                    reserved.name
                );
                Failure::usage(reserved.to_string()).hint(hint)
            })?;
            variables.add(name, origin, plain)
        };
        match value {
            Value::Single(plain) => add(&mut variables, None, plain)?,
            Value::KeyValues(named) => {
                for (key, plain) in named {
                    add(&mut variables, Some(key), plain)?;
                }
            }
        }
    }
    Ok(variables.given)
}

struct Variables<'a> {
    given: Vec<(String, &'a OsStr)>,
    /// Where each name comes from.
    origins: BTreeMap<String, String>,
}

impl<'a> Variables<'a> {
    fn add_mapped(&mut self, mapping: &Mapping, value: &'a Value) -> Result<(), Failure> {
        let path = &mapping.path;
        let (origin, plain) = match (value, &mapping.key) {
            (Value::Single(plain), None) => (path.clone(), plain),
            (Value::Single(_), Some(key)) => {
                let message = format!("{path} has one value and no key {key}");
                return Err(Failure::usage(message).hint(format!("--map {}={path}", mapping.name)));
            }
            (Value::KeyValues(named), Some(key)) => {
                let plain = named.get(key).ok_or_else(|| {
                    let keys: Vec<_> = named.keys().map(String::as_str).collect();
                    Failure::usage(format!("{path} has no key {key}")).hint(format!("its keys: {}", keys.join(", ")))
                })?;
                (format!("{path}#{key}"), plain)
            }
            (Value::KeyValues(_), None) => {
                let message = format!("{path} has several values, and a variable holds one");
                return Err(Failure::usage(message).hint(format!("name a key: --map {}={path}#KEY", mapping.name)));
            }
        };
        self.add(mapping.name.clone(), origin, plain)
    }

    fn add(&mut self, name: String, origin: String, plain: &'a Plain) -> Result<(), Failure> {
        if plain.expose().contains(&0) {
            let message = format!("the value of {origin} has a NUL byte, which no environment can hold");
            return Err(Failure::usage(message).hint("the command can read it with `strongroom get`"));
        }
        if let Some(other) = self.origins.insert(name.clone(), origin.clone()) {
            let message = format!("{other} and {origin} would both be {name}");
            return Err(Failure::usage(message).hint(format!("give one another name: --map OTHER_NAME={origin}")));
        }
        self.given.push((name, OsStr::from_bytes(plain.expose())));
        Ok(())
    }
}
