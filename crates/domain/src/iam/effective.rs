//! Which rules apply to a principal in an organisation, inside a project or outside of all.

use super::{Grants, Rule};
use crate::id::{BindingId, MemberId, ProjectId, RoleId, RuleId, is_named};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A role that is bound to a principal, directly or through a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundRole {
    /// The role.
    pub role: RoleId,
    /// The binding that brought it.
    pub binding: BindingId,
    /// Projects, by identity or slug, to which the binding is limited; empty for the whole organisation and all its projects.
    pub projects: Arc<[String]>,
    /// The rules of the role, shared by all its bindings.
    pub rules: Arc<[Rule]>,
}

/// Rules that somebody holds or is about to be given together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRules {
    /// The rules, shared with whoever else speaks of the same role.
    pub rules: Arc<[Rule]>,
    /// Projects, by identity or slug, to which they are limited; empty for the whole organisation and all its projects.
    pub projects: Arc<[String]>,
}

/// The rules that apply to a principal, and where each comes from.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    grants: Arc<Grants>,
    sources: HashMap<RuleId, (RoleId, BindingId)>,
}

impl Effective {
    /// Of a principal with these roles, in a project (by identity and present slug) or outside of all. `owner`: the membership that
    /// makes an owner of them, who may do everything.
    #[must_use]
    pub fn of(owner: Option<MemberId>, bound: &[BoundRole], project: Option<(ProjectId, &str)>) -> Self {
        let owner = owner.map(|member| Rule::everything(RuleId::new(member.uuid())));
        let applies = |bound: &&BoundRole| {
            let named = |(id, slug): (ProjectId, &str)| bound.projects.iter().any(|name| is_named(name, &id, slug));
            bound.projects.is_empty() || project.is_some_and(named)
        };
        let (mut sources, mut seen) = (HashMap::new(), HashSet::new());
        let mut rules: Vec<&Rule> = owner.iter().collect();
        // A role that is bound twice gives nothing more.
        for bound in bound.iter().filter(applies).filter(|bound| seen.insert(bound.role)) {
            for rule in bound.rules.iter() {
                sources.entry(rule.id).or_insert((bound.role, bound.binding));
                rules.push(rule);
            }
        }
        Self { grants: Arc::new(Grants::compile(rules)), sources }
    }

    /// Rules that an embedding program gives.
    #[must_use]
    pub fn given(grants: Arc<Grants>) -> Self {
        Self { grants, sources: HashMap::new() }
    }

    /// What they allow.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// The role and the binding that a rule came through; `None` for an owner's, and for one that a program gave.
    #[must_use]
    pub fn source(&self, rule: RuleId) -> Option<(RoleId, BindingId)> {
        self.sources.get(&rule).copied()
    }
}
