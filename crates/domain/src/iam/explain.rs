//! Why something is allowed, or what would have to change.

use super::{BoundRole, Effective, Grants, Permission, ResourceType, Rule};
use crate::id::{BindingId, KeyId, RoleId, RuleId};
use crate::path::SecretPath;
use crate::pattern::PathPattern;
use core::cmp::Reverse;
use core::fmt;
use std::collections::HashMap;

/// The most rules that an explanation names as near, and the most entries of one of them.
pub const MAX_NEAR_MISSES: usize = 5;

/// What somebody wants to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// The secret at the path.
    Secret(&'a SecretPath),
    /// A KMS key, with its present slug.
    Key(KeyId, &'a str),
    /// A resource of another type, by identity and, where it has one, present slug.
    Named(ResourceType, &'a str, Option<&'a str>),
    /// Any resource of the type: asking for a list.
    Any(ResourceType),
}

/// What is asked of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// On what.
    pub target: Target<'a>,
    /// Permissions of which one is enough.
    pub any_of: &'a [Permission],
}

/// A decision and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// It is allowed.
    Allowed {
        /// By this rule.
        rule: RuleId,
        /// The role and the binding that it came through; `None` for an owner's, and for one that a program gave.
        source: Option<(RoleId, BindingId)>,
    },
    /// It isn't.
    Denied(Denial),
}

/// What would have to change for something to be allowed. Its text says which rule is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The type of resource that a rule would have to name.
    pub resource: ResourceType,
    /// Permissions of which it would have to give one.
    pub any_of: Vec<Permission>,
    /// The identity that it would have to cover; `None` when any does.
    pub identity: Option<String>,
    /// Rules that the principal has and that come near, at most [`MAX_NEAR_MISSES`].
    pub near: Vec<NearMiss>,
}

/// A rule that falls short in one thing. Its text says in which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The rule.
    pub rule: RuleId,
    /// Its role.
    pub role: RoleId,
    /// The binding that it came through.
    pub binding: BindingId,
    /// In what it falls short.
    pub difference: Difference,
}

/// In what a rule falls short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It would allow, but is bound only in these projects.
    Projects(Vec<String>),
    /// It speaks of the resource, but gives only these permissions.
    Permissions(Vec<String>),
    /// It gives a permission that is enough, but on these resources only: the nearest first, at most [`MAX_NEAR_MISSES`].
    Identities(Vec<String>),
}

impl Question<'_> {
    /// The rule that allows it, by the same decision as for any call.
    #[must_use]
    pub fn decide(&self, grants: &Grants) -> Option<RuleId> {
        let mut permissions = self.any_of.iter();
        match self.target {
            Target::Secret(path) => permissions.find_map(|permission| grants.on_secret(*permission, path)),
            Target::Key(key, slug) => grants.on_key(self.any_of, key, slug),
            Target::Named(kind, identity, slug) => {
                permissions.find_map(|permission| grants.on(kind, *permission, identity, slug))
            }
            Target::Any(kind) => permissions.find_map(|permission| grants.anywhere(kind, *permission)),
        }
    }

    /// Whether the rule alone allows it.
    fn is_allowed_by(&self, rule: &Rule) -> bool {
        self.decide(&Grants::compile([rule])).is_some()
    }
}

impl Target<'_> {
    /// The type of resource.
    #[must_use]
    pub const fn resource(&self) -> ResourceType {
        match self {
            Self::Secret(_) => ResourceType::Secret,
            Self::Key(..) => ResourceType::KmsKey,
            Self::Named(kind, ..) | Self::Any(kind) => *kind,
        }
    }

    /// The identity that a rule would have to cover; `None` when any does.
    fn identity(&self) -> Option<String> {
        match self {
            Self::Secret(path) => Some(path.to_string()),
            Self::Key(key, _) => Some(key.to_string()),
            Self::Named(_, identity, _) => Some((*identity).to_owned()),
            Self::Any(_) => None,
        }
    }

    /// How much of what a path would have to begin with it does begin with.
    fn closeness(&self, entry: &str) -> usize {
        let Self::Secret(path) = self else { return 0 };
        let pattern = PathPattern::new(entry);
        let pairs = pattern.literal_prefix().bytes().zip(path.as_str().bytes());
        pairs.take_while(|(one, other)| one == other).count()
    }
}

/// Explains a decision by a principal's rules. `bound`: all roles of the principal, those too that are bound only in other projects
/// than the one of `effective`.
#[must_use]
pub fn explain(effective: &Effective, bound: &[BoundRole], question: &Question<'_>) -> Explanation {
    if let Some(rule) = question.decide(effective.grants()) {
        return Explanation::Allowed { rule, source: effective.source(rule) };
    }
    Explanation::Denied(Denial {
        resource: question.target.resource(),
        any_of: question.any_of.to_vec(),
        identity: question.target.identity(),
        near: near_misses(bound, question),
    })
}

/// By kind, each with how close it comes.
type Misses = [Vec<(usize, NearMiss)>; 3];

/// One of each kind in turn, so that many of one kind don't hide the others.
fn near_misses(bound: &[BoundRole], question: &Question<'_>) -> Vec<NearMiss> {
    let mut roles: HashMap<RoleId, Misses> = HashMap::new();
    let mut kinds = Misses::default();
    for bound in bound {
        // Large roles that are bound often are looked at once.
        let of_role = roles.entry(bound.role).or_insert_with(|| of_role(bound, question));
        for (kind, of_role) in kinds.iter_mut().zip(of_role) {
            kind.extend(of_role.iter().map(|(closeness, miss)| (*closeness, miss.through(bound))));
            keep_closest(kind);
        }
    }
    let mut queues = kinds.map(|kind| kind.into_iter().map(|(_, miss)| miss));
    let rounds = core::iter::repeat_with(|| queues.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>());
    rounds.take_while(|round| !round.is_empty()).flatten().take(MAX_NEAR_MISSES).collect()
}

fn of_role(bound: &BoundRole, question: &Question<'_>) -> Misses {
    let mut kinds = Misses::default();
    for rule in bound.rules.iter() {
        let Some((closeness, difference)) = difference(bound, rule, question) else { continue };
        let kind = match difference {
            Difference::Projects(_) => 0,
            Difference::Permissions(_) => 1,
            Difference::Identities(_) => 2,
        };
        let miss = NearMiss { rule: rule.id, role: bound.role, binding: bound.binding, difference };
        kinds[kind].push((closeness, miss));
    }
    kinds.iter_mut().for_each(keep_closest);
    kinds
}

fn keep_closest(misses: &mut Vec<(usize, NearMiss)>) {
    misses.sort_by_key(|(closeness, _)| Reverse(*closeness));
    misses.truncate(MAX_NEAR_MISSES);
}

impl NearMiss {
    /// The same, of another binding of the role.
    fn through(&self, bound: &BoundRole) -> Self {
        let difference = match &self.difference {
            Difference::Projects(_) => Difference::Projects(bound.projects.to_vec()),
            other => other.clone(),
        };
        Self { binding: bound.binding, difference, ..self.clone() }
    }
}

/// In what the rule falls short, when that is one thing, and how close it comes.
fn difference(bound: &BoundRole, rule: &Rule, question: &Question<'_>) -> Option<(usize, Difference)> {
    let any_resource = Question { target: Target::Any(question.target.resource()), ..*question };
    if question.is_allowed_by(rule) {
        return Some((0, Difference::Projects(bound.projects.to_vec())));
    }
    if any_resource.is_allowed_by(rule) {
        let mut entries: Vec<_> =
            rule.resource_identities.iter().map(|entry| (question.target.closeness(entry), entry.clone())).collect();
        entries.sort_by_key(|(closeness, _)| Reverse(*closeness));
        let closest = entries.first().map_or(0, |(closeness, _)| *closeness);
        let nearest = entries.into_iter().take(MAX_NEAR_MISSES).map(|(_, entry)| entry).collect();
        return Some((closest, Difference::Identities(nearest)));
    }
    let all_permissions = Rule { permissions: vec!["*".to_owned()], ..rule.clone() };
    question.is_allowed_by(&all_permissions).then(|| (0, Difference::Permissions(rule.permissions.clone())))
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a rule on `{}` with the permission ", self.resource)?;
        list(f, &self.any_of, " or ")?;
        match &self.identity {
            Some(identity) => write!(f, " and the identity `{identity}` is needed"),
            None => f.write_str(" is needed"),
        }
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, role, binding, difference } = self;
        write!(f, "the rule {rule} of the role {role} ")?;
        match difference {
            Difference::Projects(projects) => {
                write!(f, "allows this, but its binding {binding} is limited to the projects ")?;
                list(f, projects, ", ")
            }
            Difference::Permissions(permissions) if permissions.is_empty() => f.write_str("gives no permission"),
            Difference::Permissions(permissions) => {
                f.write_str("speaks of this, but gives only ")?;
                list(f, permissions, ", ")
            }
            Difference::Identities(identities) => {
                f.write_str("gives the permission, but not here: on ")?;
                list(f, identities, ", ")
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display], joint: &str) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        write!(f, "{}`{item}`", if at == 0 { "" } else { joint })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Denial, Difference, Explanation, MAX_NEAR_MISSES, Question, Target, explain};
    use crate::iam::{BoundRole, Effective, Permission, ResourceType, Rule};
    use crate::id::{BindingId, KeyId, MemberId, ProjectId, RoleId, RuleId};
    use crate::path::SecretPath;
    use uuid::Uuid;

    const PROJECT: ProjectId = ProjectId::new(Uuid::from_u128(9));

    /// A role of one rule, bound once; all have the same number.
    fn bound(number: u128, resource: &str, identities: &[&str], permissions: &[&str], projects: &[&str]) -> BoundRole {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let rule = Rule {
            id: RuleId::new(Uuid::from_u128(number)),
            resources: vec![resource.to_owned()],
            resource_identities: owned(identities),
            permissions: owned(permissions),
            note: String::new(),
        };
        let (role, binding) = (RoleId::new(Uuid::from_u128(number)), BindingId::new(Uuid::from_u128(number)));
        BoundRole { role, binding, projects: owned(projects).into(), rules: vec![rule].into() }
    }

    fn path(text: &str) -> SecretPath {
        text.parse().expect("legal")
    }

    fn ask(bound: &[BoundRole], target: Target<'_>, any_of: &[Permission]) -> Explanation {
        explain(&Effective::of(None, bound, Some((PROJECT, "web"))), bound, &Question { target, any_of })
    }

    fn denial(explanation: Explanation) -> Denial {
        match explanation {
            Explanation::Denied(denial) => denial,
            Explanation::Allowed { .. } => panic!("allowed"),
        }
    }

    #[test]
    fn what_allows_is_named_with_its_way() {
        let bound = [bound(1, "team", &[], &["*"], &[]), bound(2, "secret", &["/app/*"], &["read"], &["web"])];
        let db = path("/app/db");
        let allowed = ask(&bound, Target::Secret(&db), &[Permission::Read]);
        let source = Some((RoleId::new(Uuid::from_u128(2)), BindingId::new(Uuid::from_u128(2))));
        assert_eq!(allowed, Explanation::Allowed { rule: RuleId::new(Uuid::from_u128(2)), source });

        let owner = Effective::of(Some(MemberId::new(Uuid::from_u128(7))), &[], None);
        let question = Question { target: Target::Any(ResourceType::Team), any_of: &[Permission::List] };
        let by_owner = Explanation::Allowed { rule: RuleId::new(Uuid::from_u128(7)), source: None };
        assert_eq!(explain(&owner, &[], &question), by_owner);
    }

    #[test]
    fn a_denial_says_what_is_needed_and_what_came_near() {
        let bound = [
            bound(1, "secret", &["/zoo/*", "/app/staging/*"], &["getSecretValue"], &[]),
            bound(2, "secret", &["/app/prod/*"], &["read", "list"], &[]),
            bound(3, "*", &[], &["*"], &["api", "prj-x"]),
            bound(4, "kms_key", &[], &["getSecretValue"], &[]),
            bound(5, "secret", &["/app/prod/web"], &["getSecretValue"], &["web"]),
            bound(6, "secret", &["/other/*"], &["read"], &[]),
        ];
        let db = path("/app/prod/db");
        let denial = denial(ask(&bound, Target::Secret(&db), &[Permission::GetSecretValue]));
        assert_eq!(
            denial.to_string(),
            "a rule on `secret` with the permission `getSecretValue` and the identity `/app/prod/db` is needed"
        );
        let near: Vec<_> = denial.near.iter().map(|miss| (miss.rule.uuid().as_u128(), &miss.difference)).collect();
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(
            near,
            [
                (3, &Difference::Projects(owned(&["api", "prj-x"]))),
                (2, &Difference::Permissions(owned(&["read", "list"]))),
                (5, &Difference::Identities(owned(&["/app/prod/web"]))),
                (1, &Difference::Identities(owned(&["/app/staging/*", "/zoo/*"]))),
            ]
        );
        for (miss, expected) in denial.near.iter().zip([
            "allows this, but its binding rb-0000000000000000000000000c is limited to the projects `api`, `prj-x`",
            "speaks of this, but gives only `read`, `list`",
            "gives the permission, but not here: on `/app/prod/web`",
        ]) {
            let start = format!("the rule {} of the role {} ", miss.rule, miss.role);
            assert_eq!(miss.to_string(), start + expected);
        }
    }

    #[test]
    fn keys_and_lists_are_explained_alike() {
        let key = KeyId::new(Uuid::from_u128(5));
        let bound = [bound(1, "kms_key", &["other"], &["encrypt"], &[]), bound(2, "kms_key", &["k"], &["sign"], &[])];
        let any_of = [Permission::Encrypt, Permission::Update];
        let denied = denial(ask(&bound, Target::Key(key, "k"), &any_of));
        assert_eq!(denied.near.len(), 2);
        let needed =
            format!("a rule on `kms_key` with the permission `encrypt` or `update` and the identity `{key}` is needed");
        assert_eq!(denied.to_string(), needed);

        let denied = denial(ask(&bound, Target::Any(ResourceType::Team), &[Permission::List]));
        assert_eq!(denied.to_string(), "a rule on `team` with the permission `list` is needed");
        assert!(denied.near.is_empty());

        let named = Target::Named(ResourceType::KmsKey, "k", None);
        assert!(matches!(ask(&bound, named, &[Permission::Sign]), Explanation::Allowed { .. }));
    }

    #[test]
    fn only_the_nearest_are_told() {
        let many: Vec<_> =
            (1..30).map(|number| bound(number, "secret", &[&format!("/{number}/x")], &["read"], &[])).collect();
        let wanted = path("/17/y");
        let near = denial(ask(&many, Target::Secret(&wanted), &[Permission::Read])).near;
        assert_eq!(near.len(), MAX_NEAR_MISSES);
        assert_eq!(near[0].rule.uuid().as_u128(), 17);

        let entries: Vec<String> = (1..30).map(|number| format!("/{number}/x")).collect();
        let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
        let one = [bound(1, "secret", &entries, &["read"], &[])];
        let near = denial(ask(&one, Target::Secret(&wanted), &[Permission::Read])).near;
        let Difference::Identities(told) = &near[0].difference else { panic!("{:?}", near[0]) };
        assert_eq!((told.len(), told[0].as_str()), (MAX_NEAR_MISSES, "/17/x"));
    }

    #[test]
    fn a_large_role_that_is_bound_often_is_looked_at_once() {
        let mut role = bound(1, "secret", &["/x"], &["read"], &["api"]);
        let rules = (0..1_000).map(|_| role.rules[0].clone());
        role.rules = rules.collect();
        let again = |n| BoundRole { binding: BindingId::new(Uuid::from_u128(n)), ..role.clone() };
        let often: Vec<_> = (0..1_000).map(again).collect();
        let near = denial(ask(&often, Target::Secret(&path("/x")), &[Permission::Read])).near;
        assert_eq!(near.len(), MAX_NEAR_MISSES);
        let other =
            BoundRole { projects: ["shop".to_owned()].into(), rules: [role.rules[0].clone()].into(), ..again(7) };
        let two = [BoundRole { rules: other.rules.clone(), ..again(6) }, other];
        let near = denial(ask(&two, Target::Secret(&path("/x")), &[Permission::Read])).near;
        let told: Vec<_> = near.iter().map(|it| (it.binding.uuid().as_u128(), &it.difference)).collect();
        let projects = |name: &str| Difference::Projects(vec![name.to_owned()]);
        assert_eq!(told, [(6, &projects("api")), (7, &projects("shop"))]);
    }
}
