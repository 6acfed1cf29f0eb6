use crate::state::State;
use core::ops::Bound;
use strongroom_domain::path::{Directory, Step};
use strongroom_domain::port::BrowseEntry;
use strongroom_domain::scope::Scope;

/// The first text that sorts after everything below `directory`, which ends in `/`.
fn beyond(directory: &str) -> String {
    format!("{}0", directory.trim_end_matches('/'))
}

/// The child of `directory` that `key` is or lies in.
fn child_of<'a>(directory: &str, key: &'a str) -> Option<&'a str> {
    let rest = key.strip_prefix(directory)?;
    let segment = rest.find('/')?;
    Some(&key[..=directory.len() + segment])
}

/// Where the entries after `after` begin. Everything in a child directory sorts after the child, which was shown before it.
fn start(directory: &str, after: Option<&str>) -> Bound<String> {
    match after {
        Some(after) if after >= directory => match child_of(directory, after) {
            Some(child) => Bound::Included(beyond(child)),
            None => Bound::Excluded(after.to_owned()),
        },
        _ => Bound::Included(directory.to_owned()),
    }
}

/// Goes from entry to entry, leaping over what lies below a child directory.
pub(super) fn browse(
    state: &State,
    scope: &Scope,
    directory: &Directory,
    after: Option<&str>,
    limit: usize,
) -> Vec<BrowseEntry> {
    let mut entries = Vec::new();
    let Some(paths) = state.paths.get(scope) else { return entries };
    let mut from = start(directory.as_str(), after);
    while entries.len() < limit {
        let range = (from.as_ref().map(String::as_str), Bound::Unbounded);
        let Some(row) = paths.range::<str, _>(range).next().and_then(|(_, id)| state.secrets.get(id)) else { break };
        let Some(step) = directory.step_towards(&row.secret.path) else { break };
        let (entry, next) = match step {
            Step::Secret => {
                let next = Bound::Excluded(row.secret.path.to_string());
                (BrowseEntry::Secret(Box::new(row.secret.clone())), next)
            }
            Step::Directory(child) => {
                let next = Bound::Included(beyond(child.as_str()));
                (BrowseEntry::Directory(child), next)
            }
        };
        entries.push(entry);
        from = next;
    }
    entries
}
