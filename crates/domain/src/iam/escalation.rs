//! Nobody gives what they lack.

use super::{HeldRules, ResourceType, Rule};
use crate::id::RuleId;
use crate::pattern::PathPattern;
use core::cell::Cell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// A rule that can't be given, because the giver doesn't hold all that it allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("you don't hold what the rule {rule} gives: {lack}")]
pub struct Missing {
    /// The rule that would be given.
    pub rule: RuleId,
    /// What the giver lacks of it.
    pub lack: Lack,
}

/// What a giver lacks of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lack {
    /// No rule of theirs names the resource type.
    #[error("no rule of yours names the resource `{0}`")]
    Resource(String),
    /// None gives the permission on the type.
    #[error("no rule of yours gives `{permission}` on `{resource}`")]
    Permission {
        /// The permission.
        permission: String,
        /// The resource type.
        resource: String,
    },
    /// None gives the permission on all that the entry means; `*` stands for a rule without entries.
    #[error("no rule of yours gives `{permission}` on all of `{identity}` (`{resource}`)")]
    Identity {
        /// The entry.
        identity: String,
        /// The permission.
        permission: String,
        /// The resource type.
        resource: String,
    },
    /// None that does is bound for the projects.
    #[error("no rule of yours gives `{permission}` on `{identity}` (`{resource}`) {}", in_projects(projects))]
    Projects {
        /// The projects to which the rule would be limited; empty for none.
        projects: Vec<String>,
        /// The entry.
        identity: String,
        /// The permission.
        permission: String,
        /// The resource type.
        resource: String,
    },
    /// Each of it is in some rule of theirs, but no rule has all.
    #[error("your rules hold it in parts only: give it as several rules, each within one of yours")]
    InOneRule,
    /// There is too much to compare.
    #[error("there is too much to compare with your rules: give it in smaller parts, or ask an owner")]
    TooLarge,
}

fn in_projects(projects: &[String]) -> String {
    if projects.is_empty() {
        "in the whole organisation, but only in projects".to_owned()
    } else {
        format!("in the projects `{}`", projects.join("`, `"))
    }
}

/// The first of the rules to be given that the giver's rules don't cover.
///
/// A held rule covers another when
/// - its resources and permissions contain the other's, as texts; `*` contains all;
/// - every identity of the other is within one of its own: as a [pattern](PathPattern::contains) where the other speaks of secrets, as
///   the same text or by `*` where it speaks of anything else, both where it speaks of both; no identities mean all;
/// - it isn't limited to projects, or the other is limited to projects too: it covers the other in those that both name, alike. In each
///   project of the other some rule must.
///
/// A rule without resources or permissions gives nothing and needs nothing.
///
/// Roles may be large. Each is looked at once, however often it is bound, and the work has a limit, beyond which the answer is no.
///
/// # Errors
/// [`Missing`], with the first resource, permission, identity or project that is lacking.
pub fn check_escalation(held: &[HeldRules], granted: &[HeldRules]) -> Result<(), Missing> {
    let work = Work::default();
    let held: Vec<Cover<'_>> = distinct(held).into_iter().map(|(rule, projects)| Cover::new(rule, projects)).collect();
    for (rule, projects) in distinct(granted) {
        let wanted = Wanted::new(rule, projects);
        if !wanted.is_nothing() && !is_covered(&held, &wanted, &work) {
            return Err(Missing { rule: rule.id, lack: lack(&held, &wanted, &work) });
        }
    }
    Ok(())
}

/// Projects by name; `None` for the whole organisation and all its projects.
type Projects<'a> = Option<Rc<BTreeSet<&'a str>>>;

/// Every rule once, with all projects of the bindings that bring it.
fn distinct(all: &[HeldRules]) -> Vec<(&Rule, Projects<'_>)> {
    let mut order: Vec<(&[Rule], Option<BTreeSet<&str>>)> = Vec::new();
    let mut known: HashMap<*const Rule, usize> = HashMap::new();
    for HeldRules { rules, projects } in all {
        let named = (!projects.is_empty()).then(|| projects.iter().map(String::as_str).collect::<BTreeSet<_>>());
        match known.entry(rules.as_ptr()) {
            // Rules without a length have no address of their own, and give nothing.
            _ if rules.is_empty() => {}
            Entry::Vacant(new) => {
                new.insert(order.len());
                order.push((rules, named));
            }
            Entry::Occupied(at) => {
                let (_, before) = &mut order[*at.get()];
                *before = before.take().zip(named).map(|(mut before, more)| {
                    before.extend(more);
                    before
                });
            }
        }
    }
    let mut each = Vec::new();
    for (rules, projects) in order {
        let projects = projects.map(Rc::new);
        each.extend(rules.iter().map(|rule| (rule, projects.clone())));
    }
    each
}

/// Counts what comparing takes, about in compared bytes.
#[derive(Default)]
struct Work(Cell<u64>);

impl Work {
    /// About a second.
    const MOST: u64 = 500_000_000;

    /// Takes note of so much more; whether there was too much.
    fn is_too_much(&self, more: usize) -> bool {
        self.0.set(self.0.get().saturating_add(more as u64));
        self.0.get() > Self::MOST
    }
}

/// A rule to be given.
struct Wanted<'a> {
    resources: BTreeSet<&'a str>,
    permissions: BTreeSet<&'a str>,
    identities: Vec<Identity<'a>>,
    projects: Projects<'a>,
    /// Whether it speaks of secrets.
    paths: bool,
    /// Whether it speaks of anything else.
    names: bool,
}

struct Identity<'a> {
    text: &'a str,
    pattern: PathPattern,
}

fn texts(list: &[String]) -> BTreeSet<&str> {
    list.iter().map(String::as_str).collect()
}

impl<'a> Wanted<'a> {
    fn new(rule: &'a Rule, projects: Projects<'a>) -> Self {
        let (resources, mut entries) = (texts(&rule.resources), texts(&rule.resource_identities));
        if entries.is_empty() {
            entries.insert("*");
        }
        let secret = ResourceType::Secret.as_str();
        Self {
            paths: resources.contains(secret) || resources.contains("*"),
            names: resources.iter().any(|resource| *resource != secret),
            permissions: texts(&rule.permissions),
            identities: entries.into_iter().map(|text| Identity { text, pattern: PathPattern::new(text) }).collect(),
            resources,
            projects,
        }
    }

    fn is_nothing(&self) -> bool {
        self.resources.is_empty() || self.permissions.is_empty()
    }
}

/// A rule of the giver.
struct Cover<'a> {
    resources: HashSet<&'a str>,
    permissions: HashSet<&'a str>,
    names: HashSet<&'a str>,
    everything: bool,
    patterns: Vec<PathPattern>,
    projects: Projects<'a>,
}

impl<'a> Cover<'a> {
    fn new(rule: &'a Rule, projects: Projects<'a>) -> Self {
        let set = |list: &'a [String]| list.iter().map(String::as_str).collect::<HashSet<_>>();
        let entries = rule.resource_identities.iter();
        Self {
            resources: set(&rule.resources),
            permissions: set(&rule.permissions),
            names: set(&rule.resource_identities),
            everything: rule.speaks_of_everything(),
            patterns: entries.map(|entry| PathPattern::new(entry)).collect(),
            projects,
        }
    }

    /// Whether it covers the other where both apply.
    fn covers(&self, wanted: &Wanted<'_>, work: &Work) -> bool {
        let texts = wanted.resources.len() + wanted.permissions.len();
        !work.is_too_much(64 * texts)
            && wanted.resources.iter().all(|resource| self.has_resource(resource))
            && wanted.permissions.iter().all(|permission| self.has_permission(permission))
            && wanted.identities.iter().all(|identity| self.has_identity(wanted.paths, wanted.names, identity, work))
    }

    fn has_resource(&self, resource: &str) -> bool {
        self.resources.contains("*") || self.resources.contains(resource)
    }

    fn has_permission(&self, permission: &str) -> bool {
        self.permissions.contains("*") || self.permissions.contains(permission)
    }

    /// Whether the identity is within one of its own, as a path, as a name, or as both.
    fn has_identity(&self, path: bool, name: bool, identity: &Identity<'_>, work: &Work) -> bool {
        let contains = |pattern: &PathPattern| {
            let begins_alike = identity.pattern.literal_prefix().starts_with(pattern.literal_prefix());
            let work_of_it = if begins_alike { pattern.as_str().len() * identity.text.len() } else { 0 };
            !work.is_too_much(64 + work_of_it) && pattern.contains(&identity.pattern)
        };
        let as_name = self.names.contains(identity.text);
        self.everything || ((!name || as_name) && (!path || as_name || self.patterns.iter().any(contains)))
    }

    fn has_projects(&self, wanted: &Wanted<'_>) -> bool {
        match (&self.projects, &wanted.projects) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(held), Some(wanted)) => wanted.is_subset(held),
        }
    }
}

fn is_covered(held: &[Cover<'_>], wanted: &Wanted<'_>, work: &Work) -> bool {
    let mut uncovered = wanted.projects.as_deref().cloned();
    for held in held {
        let helps = match (&held.projects, &uncovered) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(held), Some(uncovered)) => {
                !work.is_too_much(64 * uncovered.len()) && uncovered.iter().any(|project| held.contains(project))
            }
        };
        if !helps || !held.covers(wanted, work) {
            continue;
        }
        match (&held.projects, &mut uncovered) {
            (Some(held), Some(uncovered)) => {
                uncovered.retain(|project| !held.contains(project));
                if uncovered.is_empty() {
                    return true;
                }
            }
            _ => return true,
        }
    }
    false
}

/// What is missing of a rule that isn't covered.
fn lack(held: &[Cover<'_>], wanted: &Wanted<'_>, work: &Work) -> Lack {
    for resource in &wanted.resources {
        if work.is_too_much(64 * held.len()) {
            return Lack::TooLarge;
        }
        let of_resource: Vec<_> = held.iter().filter(|held| held.has_resource(resource)).collect();
        if of_resource.is_empty() {
            return Lack::Resource((*resource).to_owned());
        }
        let secret = ResourceType::Secret.as_str();
        let (path, name) = (matches!(*resource, "*") || *resource == secret, *resource != secret);
        for permission in &wanted.permissions {
            if work.is_too_much(64 * held.len()) {
                return Lack::TooLarge;
            }
            let giving: Vec<_> = of_resource.iter().filter(|held| held.has_permission(permission)).collect();
            let (permission, resource) = ((*permission).to_owned(), (*resource).to_owned());
            if giving.is_empty() {
                return Lack::Permission { permission, resource };
            }
            for wanted_identity in &wanted.identities {
                let has = |held: &&&&Cover<'_>| held.has_identity(path, name, wanted_identity, work);
                let there: Vec<_> = giving.iter().filter(has).collect();
                if work.is_too_much(64 * (giving.len() + there.len())) {
                    return Lack::TooLarge;
                }
                let identity = wanted_identity.text.to_owned();
                if there.is_empty() {
                    return Lack::Identity { identity, permission, resource };
                }
                if !there.iter().any(|held| held.has_projects(wanted)) {
                    let projects = wanted.projects.iter().flat_map(|names| names.iter());
                    let projects = projects.map(|name| (*name).to_owned()).collect();
                    return Lack::Projects { projects, identity, permission, resource };
                }
            }
        }
    }
    Lack::InOneRule
}

#[cfg(test)]
mod tests;
