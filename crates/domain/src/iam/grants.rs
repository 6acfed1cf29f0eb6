//! All rules of a caller, compiled for fast decisions.

use super::{Permission, ResourceType, Rule};
use crate::id::{KeyId, RuleId};
use crate::path::{Directory, SecretPath};
use crate::pattern::PathPattern;

/// What a caller may do: the union of the rules that are bound to it.
///
/// Where several rules allow, a decision names the first of them in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    rules: Vec<CompiledRule>,
    /// For each pair of type and permission, the rules (by index, ascending) that name both.
    by_subject: Vec<Vec<usize>>,
}

#[derive(Clone, Debug)]
struct CompiledRule {
    id: RuleId,
    scope: Scope,
}

/// Which resources of its types a rule speaks of.
#[derive(Clone, Debug)]
enum Scope {
    Everything,
    Listed {
        /// The entries as secrets are compared; empty when the rule doesn't speak of secrets.
        patterns: Vec<PathPattern>,
        /// The entries as other resources are compared; empty when the rule speaks of secrets only.
        names: Vec<String>,
    },
}

const fn subject(kind: ResourceType, permission: Permission) -> usize {
    kind as usize * Permission::ALL.len() + permission as usize
}

impl Grants {
    /// Compiles rules. Those that name nothing known here drop out.
    #[must_use]
    pub fn compile(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut grants =
            Self { rules: Vec::new(), by_subject: vec![Vec::new(); ResourceType::ALL.len() * Permission::ALL.len()] };
        for rule in rules {
            grants.add(rule);
        }
        grants
    }

    fn add(&mut self, rule: Rule) {
        let kinds: Vec<_> = ResourceType::ALL.iter().filter(|kind| rule.names_resource(**kind)).collect();
        let permissions: Vec<_> = Permission::ALL.iter().filter(|name| rule.names_permission(**name)).collect();
        if kinds.is_empty() || permissions.is_empty() {
            return;
        }
        for kind in &kinds {
            for permission in &permissions {
                self.by_subject[subject(**kind, **permission)].push(self.rules.len());
            }
        }
        let secrets = kinds.contains(&&ResourceType::Secret);
        let others = kinds.len() > usize::from(secrets);
        self.rules.push(CompiledRule { id: rule.id, scope: Scope::compile(rule.resource_identities, secrets, others) });
    }

    /// The rule that allows this on the secret at the path, whether one lies there or not.
    #[must_use]
    pub fn on_secret(&self, permission: Permission, path: &SecretPath) -> Option<RuleId> {
        self.first(ResourceType::Secret, permission, |scope| scope.any_pattern(|pattern| pattern.matches(path)))
    }

    /// The rule that allows any of these on the KMS key. An operation that more than one permission opens, such as `encrypt`
    /// or `update`, gives them all; the rule that is named is one for the first permission that has any.
    #[must_use]
    pub fn on_key(&self, any_of: &[Permission], key: KeyId, slug: &str) -> Option<RuleId> {
        any_of.iter().find_map(|permission| {
            self.first(ResourceType::KmsKey, *permission, |scope| {
                // An identity has one spelling: reading the entry compares like writing the key's, and takes no memory.
                scope.any_name(|name| name == slug || name.parse() == Ok(key))
            })
        })
    }

    /// The rule that allows this on a resource that is named by identity or, where it has one, by its present slug.
    /// Secrets are named by path and keys by their own type: for them there are [`on_secret`](Self::on_secret) and
    /// [`on_key`](Self::on_key).
    #[must_use]
    pub fn on(&self, kind: ResourceType, permission: Permission, identity: &str, slug: Option<&str>) -> Option<RuleId> {
        self.first(kind, permission, |scope| scope.any_name(|name| name == identity || Some(name) == slug))
    }

    /// A rule that gives this permission on resources of the type, whichever those are. It opens lists, whose entries are
    /// then decided one by one.
    #[must_use]
    pub fn anywhere(&self, kind: ResourceType, permission: Permission) -> Option<RuleId> {
        self.first(kind, permission, |_| true)
    }

    /// A rule that allows this on every secret below the directory, so that none needs a decision of its own.
    #[must_use]
    pub fn covers_below(&self, permission: Permission, directory: &Directory) -> Option<RuleId> {
        self.first(ResourceType::Secret, permission, |scope| scope.any_pattern(|pattern| pattern.covers(directory)))
    }

    /// Texts such that every secret below the directory on which this is allowed begins with one of them. Each begins with
    /// the directory; they are in bytewise order and none begins with another, so that seeking from each in turn meets every
    /// such secret once. Not every secret that is met is allowed.
    #[must_use]
    pub fn literal_prefixes_below(&self, permission: Permission, directory: &Directory) -> Vec<String> {
        let mut prefixes = Vec::new();
        for scope in self.scopes(ResourceType::Secret, permission).map(|rule| &rule.scope) {
            match scope {
                Scope::Everything => return vec![directory.as_str().to_owned()],
                Scope::Listed { patterns, .. } => {
                    prefixes.extend(patterns.iter().filter_map(|pattern| pattern.literal_prefix_below(directory)));
                }
            }
        }
        prefixes.sort_unstable();
        // Sorted, a text stands right before all those that begin with it.
        let mut kept: Vec<String> = Vec::new();
        for prefix in prefixes {
            if kept.last().is_none_or(|last| !prefix.starts_with(last.as_str())) {
                kept.push(prefix.to_owned());
            }
        }
        kept
    }

    fn scopes(&self, kind: ResourceType, permission: Permission) -> impl Iterator<Item = &CompiledRule> {
        let indices = self.by_subject.get(subject(kind, permission)).map_or(&[][..], Vec::as_slice);
        indices.iter().map(|index| &self.rules[*index])
    }

    fn first(&self, kind: ResourceType, permission: Permission, allows: impl Fn(&Scope) -> bool) -> Option<RuleId> {
        self.scopes(kind, permission).find(|rule| allows(&rule.scope)).map(|rule| rule.id)
    }
}

impl Scope {
    fn compile(identities: Vec<String>, secrets: bool, others: bool) -> Self {
        if identities.is_empty() || identities.iter().any(|entry| entry == "*") {
            return Self::Everything;
        }
        let patterns =
            if secrets { identities.iter().map(|entry| PathPattern::new(entry)).collect() } else { Vec::new() };
        Self::Listed { patterns, names: if others { identities } else { Vec::new() } }
    }

    fn any_pattern(&self, allows: impl Fn(&PathPattern) -> bool) -> bool {
        match self {
            Self::Everything => true,
            Self::Listed { patterns, .. } => patterns.iter().any(allows),
        }
    }

    fn any_name(&self, allows: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Everything => true,
            Self::Listed { names, .. } => names.iter().any(|name| allows(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Grants;
    use crate::iam::{Permission, ResourceType, Rule};
    use crate::id::{KeyId, RuleId};
    use crate::path::{Directory, SecretPath};
    use crate::pattern::tests::{directories, entries, naive_matches, paths};
    use proptest::prelude::*;
    use proptest::sample::select;
    use uuid::Uuid;

    const KEY: KeyId = KeyId::new(Uuid::from_u128(5));

    fn id(number: usize) -> RuleId {
        RuleId::new(Uuid::from_u128(number as u128))
    }

    fn rule(number: usize, resources: &[&str], identities: &[&str], permissions: &[&str]) -> Rule {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Rule {
            id: id(number),
            resources: owned(resources),
            resource_identities: owned(identities),
            permissions: owned(permissions),
        }
    }

    fn path(text: &str) -> SecretPath {
        text.parse().expect("legal")
    }

    fn names(known: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec(select(known).prop_map(str::to_owned), 0..3)
    }

    fn rules() -> impl Strategy<Value = Vec<Rule>> {
        let identity = prop_oneof![
            5 => entries(),
            1 => Just(KEY.to_string()),
            1 => select(&["key-a", "key-b", "*", ""][..]).prop_map(str::to_owned),
        ];
        let one = (
            names(&["secret", "kms_key", "team", "*", "dns_zone", "Secret"]),
            proptest::collection::vec(identity, 0..3),
            names(&["read", "list", "update", "encrypt", "getSecretValue", "*", "push", ""]),
        );
        proptest::collection::vec(one, 0..6).prop_map(|parts| {
            parts
                .into_iter()
                .enumerate()
                .map(|(number, (resources, resource_identities, permissions))| Rule {
                    id: id(number),
                    resources,
                    resource_identities,
                    permissions,
                })
                .collect()
        })
    }

    /// One rule after the other, in the words of the rule.
    fn naive(
        rules: &[Rule],
        kind: &str,
        permission: Permission,
        identity_matches: impl Fn(&str) -> bool,
    ) -> Option<RuleId> {
        let found = rules.iter().find(|rule| {
            rule.resources.iter().any(|name| name == "*" || name == kind)
                && rule.permissions.iter().any(|name| name == "*" || name == permission.as_str())
                && (rule.resource_identities.is_empty()
                    || rule.resource_identities.iter().any(|entry| identity_matches(entry)))
        });
        found.map(|rule| rule.id)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn decides_as_the_rules_read(
            rules in rules(),
            permission in select(Permission::ALL),
            path in paths(),
            slug in select(&["key-a", "key-c"][..]),
        ) {
            let grants = Grants::compile(rules.clone());
            prop_assert_eq!(
                grants.on_secret(permission, &path),
                naive(&rules, "secret", permission, |entry| naive_matches(entry, path.as_str()))
            );
            let is_key = |entry: &str| entry == "*" || entry == slug || entry == KEY.to_string();
            prop_assert_eq!(
                grants.on_key(&[permission, Permission::Update], KEY, slug),
                naive(&rules, "kms_key", permission, is_key)
                    .or_else(|| naive(&rules, "kms_key", Permission::Update, is_key))
            );
            prop_assert_eq!(
                grants.on(ResourceType::Team, permission, "key-b", Some(slug)),
                naive(&rules, "team", permission, |entry| ["*", "key-b", slug].contains(&entry))
            );
            prop_assert_eq!(
                grants.on(ResourceType::Project, permission, "key-b", None),
                naive(&rules, "project", permission, |entry| ["*", "key-b"].contains(&entry))
            );
            prop_assert_eq!(
                grants.anywhere(ResourceType::Secret, permission),
                naive(&rules, "secret", permission, |_| true)
            );
        }

        #[test]
        fn browsing_meets_every_allowed_secret(rules in rules(), directory in directories(), below in paths()) {
            let grants = Grants::compile(rules);
            let path = path(&format!("{directory}{}", &below.as_str()[1..]));
            let allowed = grants.on_secret(Permission::Read, &path).is_some();
            if grants.covers_below(Permission::Read, &directory).is_some() {
                prop_assert!(allowed);
            }
            let prefixes = grants.literal_prefixes_below(Permission::Read, &directory);
            let met = prefixes.iter().filter(|prefix| path.as_str().starts_with(prefix.as_str())).count();
            prop_assert!(met == usize::from(allowed) || (met == 1 && !allowed), "{:?}", prefixes);
            prop_assert!(prefixes.is_sorted());
            prop_assert!(prefixes.iter().all(|prefix| prefix.starts_with(directory.as_str())));
        }
    }

    #[test]
    fn nothing_is_allowed_without_a_rule() {
        for grants in [Grants::default(), Grants::compile([])] {
            assert_eq!(grants.on_secret(Permission::Read, &path("/a")), None);
            assert_eq!(grants.anywhere(ResourceType::Secret, Permission::List), None);
            assert_eq!(grants.on_key(&[Permission::Encrypt, Permission::Update], KEY, "key-a"), None);
            assert!(grants.literal_prefixes_below(Permission::Read, &Directory::root()).is_empty());
        }
    }

    #[test]
    fn stars_cover_all_types_and_all_permissions() {
        let grants = Grants::compile([Rule::everything(id(1))]);
        for permission in Permission::ALL {
            assert_eq!(grants.on_secret(*permission, &path("/a/b")), Some(id(1)));
            for kind in ResourceType::ALL {
                assert_eq!(grants.on(*kind, *permission, "x", None), Some(id(1)));
            }
        }
        assert_eq!(grants.covers_below(Permission::Read, &Directory::root()), Some(id(1)));
        assert_eq!(grants.literal_prefixes_below(Permission::Read, &Directory::root()), ["/"]);
    }

    #[test]
    fn the_first_rule_that_allows_is_named() {
        let grants = Grants::compile([
            rule(1, &["secret"], &["/other/*"], &["read"]),
            rule(2, &["secret"], &["/app/x"], &["*"]),
            rule(3, &["*"], &["/app/*"], &["read"]),
        ]);
        assert_eq!(grants.on_secret(Permission::Read, &path("/app/x")), Some(id(2)));
        assert_eq!(grants.on_secret(Permission::Read, &path("/app/y")), Some(id(3)));
        assert_eq!(grants.on_secret(Permission::Delete, &path("/app/y")), None);
    }

    #[test]
    fn a_list_opens_whatever_the_identities_are() {
        let grants = Grants::compile([rule(1, &["secret"], &["no-path"], &["list", "read"])]);
        assert_eq!(grants.anywhere(ResourceType::Secret, Permission::List), Some(id(1)));
        assert_eq!(grants.on_secret(Permission::Read, &path("/no-path")), None);
    }

    #[test]
    fn prefixes_hold_no_other_and_nothing_elsewhere() {
        let grants = Grants::compile([
            rule(1, &["secret"], &["/app/prod/*", "/app/prod/db/x", "/app/pre*", "/zoo/*"], &["read"]),
            rule(2, &["secret"], &["/app", "/app/a"], &["read"]),
            rule(3, &["kms_key"], &["/app/*"], &["read"]),
        ]);
        let app: Directory = "/app".parse().expect("legal");
        assert_eq!(grants.literal_prefixes_below(Permission::Read, &app), ["/app/a", "/app/pre", "/app/prod/"]);
        let deep: Directory = "/app/prod/db".parse().expect("legal");
        assert_eq!(grants.literal_prefixes_below(Permission::Read, &deep), ["/app/prod/db/"]);
        assert_eq!(grants.covers_below(Permission::Read, &deep), Some(id(1)));
        assert_eq!(grants.covers_below(Permission::Read, &app), None);
    }
}
