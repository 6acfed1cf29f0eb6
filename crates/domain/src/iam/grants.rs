//! All rules of a caller, compiled for fast decisions.

use super::index::{NameIndex, PatternIndex, PatternIndexBuilder, RuleNumber};
use super::{Permission, ResourceType, Rule};
use crate::id::{KeyId, RuleId, looks_like_identity};
use crate::path::{Directory, SecretPath};
use core::borrow::Borrow;

/// What a caller may do: the union of the rules that are bound to it.
///
/// Where several rules allow, a decision names the first of them in the order in which they were given. A decision doesn't try
/// every rule: paths and names are looked up.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    rules: Vec<CompiledRule>,
    /// For each pair of type and permission, the rules (ascending) that name both.
    by_subject: Vec<Vec<RuleNumber>>,
    /// For each pair of type and permission, the first rule that names both and speaks of everything.
    everywhere: Vec<Option<RuleNumber>>,
    patterns: PatternIndex,
    names: NameIndex,
}

#[derive(Clone, Debug)]
struct CompiledRule {
    id: RuleId,
    /// One bit for each pair of type and permission.
    subjects: [u64; SUBJECTS.div_ceil(64)],
}

/// How many pairs of type and permission there are.
const SUBJECTS: usize = ResourceType::ALL.len() * Permission::ALL.len();

const fn subject(kind: ResourceType, permission: Permission) -> usize {
    kind as usize * Permission::ALL.len() + permission as usize
}

impl CompiledRule {
    fn names(&self, subject: usize) -> bool {
        self.subjects[subject / 64] >> (subject % 64) & 1 == 1
    }
}

impl Grants {
    /// Compiles rules. Those that name nothing known here drop out.
    #[must_use]
    pub fn compile(rules: impl IntoIterator<Item: Borrow<Rule>>) -> Self {
        let (by_subject, everywhere) = (vec![Vec::new(); SUBJECTS], vec![None; SUBJECTS]);
        let mut grants = Self { by_subject, everywhere, ..Self::default() };
        let mut patterns = PatternIndexBuilder::default();
        for rule in rules {
            grants.add(rule.borrow(), &mut patterns);
        }
        grants.patterns = patterns.build();
        grants
    }

    fn add(&mut self, rule: &Rule, patterns: &mut PatternIndexBuilder) {
        let kinds: Vec<_> = ResourceType::ALL.iter().filter(|kind| rule.names_resource(**kind)).collect();
        let permissions: Vec<_> = Permission::ALL.iter().filter(|name| rule.names_permission(**name)).collect();
        if kinds.is_empty() || permissions.is_empty() {
            return;
        }
        let number = self.rules.len();
        let everything = rule.speaks_of_everything();
        let mut subjects = [0; SUBJECTS.div_ceil(64)];
        for subject in kinds.iter().flat_map(|kind| permissions.iter().map(|name| subject(**kind, **name))) {
            self.by_subject[subject].push(number);
            subjects[subject / 64] |= 1 << (subject % 64);
            if everything {
                self.everywhere[subject].get_or_insert(number);
            }
        }
        let secrets = kinds.contains(&&ResourceType::Secret);
        let others = kinds.len() > usize::from(secrets);
        let entries = rule.resource_identities.iter().filter(|_| !everything);
        if others {
            entries.clone().for_each(|entry| self.names.add(entry, number));
        }
        if secrets {
            entries.for_each(|entry| patterns.add(entry, number));
        }
        self.rules.push(CompiledRule { id: rule.id, subjects });
    }

    /// The rule that allows this on the secret at the path, whether one lies there or not.
    #[must_use]
    pub fn on_secret(&self, permission: Permission, path: &SecretPath) -> Option<RuleId> {
        let subject = subject(ResourceType::Secret, permission);
        let everywhere = self.everywhere(subject);
        let end = everywhere.unwrap_or(self.rules.len());
        let found = self.patterns.first(path, end, |rule| self.rules[rule].names(subject));
        found.or(everywhere).map(|rule| self.rules[rule].id)
    }

    /// The rule that allows any of these on the KMS key. An operation that more than one permission opens, such as `encrypt`
    /// or `update`, gives them all; the rule that is named is one for the first permission that has any.
    #[must_use]
    pub fn on_key(&self, any_of: &[Permission], key: KeyId, slug: &str) -> Option<RuleId> {
        let named = [self.names.of_key(key), self.by_slug(slug)];
        any_of.iter().find_map(|permission| self.first_named(ResourceType::KmsKey, *permission, named))
    }

    /// The rule that allows this on a resource that is named by identity or, where it has one, by its present slug.
    /// Secrets are named by path and keys by their own type: for them there are [`on_secret`](Self::on_secret) and
    /// [`on_key`](Self::on_key).
    #[must_use]
    pub fn on(&self, kind: ResourceType, permission: Permission, identity: &str, slug: Option<&str>) -> Option<RuleId> {
        // What has no identity yet, because it is to be made, isn't named by an entry that is empty.
        let by_identity = if identity.is_empty() { &[][..] } else { self.names.named(identity) };
        let named = [by_identity, slug.map_or(&[][..], |slug| self.by_slug(slug))];
        self.first_named(kind, permission, named)
    }

    /// The rules with this slug as an entry. An entry that has the form of an identity means one, whatever slug somebody chose.
    fn by_slug(&self, slug: &str) -> &[RuleNumber] {
        if slug.is_empty() || looks_like_identity(slug) { &[] } else { self.names.named(slug) }
    }

    /// A rule that gives this permission on resources of the type, whichever those are. It opens lists, whose entries are
    /// then decided one by one.
    #[must_use]
    pub fn anywhere(&self, kind: ResourceType, permission: Permission) -> Option<RuleId> {
        self.naming(kind, permission).next().map(|rule| rule.id)
    }

    /// A rule that allows this on every secret below the directory, so that none needs a decision of its own.
    #[must_use]
    pub fn covers_below(&self, permission: Permission, directory: &Directory) -> Option<RuleId> {
        let subject = subject(ResourceType::Secret, permission);
        let covering = self.patterns.around(directory).filter(|(pattern, _)| pattern.covers(directory));
        let rules =
            covering.filter_map(|(_, rules)| rules.iter().copied().find(|rule| self.rules[*rule].names(subject)));
        rules.chain(self.everywhere(subject)).min().map(|number| self.rules[number].id)
    }

    /// Texts such that every secret below the directory on which this is allowed begins with one of them. Each begins with
    /// the directory; they are in bytewise order and none begins with another, so that seeking from each in turn meets every
    /// such secret once. Not every secret that is met is allowed.
    #[must_use]
    pub fn literal_prefixes_below(&self, permission: Permission, directory: &Directory) -> Vec<String> {
        let subject = subject(ResourceType::Secret, permission);
        if self.everywhere(subject).is_some() {
            return vec![directory.as_str().to_owned()];
        }
        let around = self.patterns.around(directory);
        let named = around.filter(|(_, rules)| rules.iter().any(|rule| self.rules[*rule].names(subject)));
        let mut prefixes: Vec<_> = named.filter_map(|(pattern, _)| pattern.literal_prefix_below(directory)).collect();
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

    fn naming(&self, kind: ResourceType, permission: Permission) -> impl Iterator<Item = &CompiledRule> {
        let numbers = self.by_subject.get(subject(kind, permission)).map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|number| &self.rules[*number])
    }

    fn everywhere(&self, subject: usize) -> Option<RuleNumber> {
        self.everywhere.get(subject).copied().flatten()
    }

    /// The first rule for this in any of the lists, or of those that speak of everything.
    fn first_named(&self, kind: ResourceType, permission: Permission, named: [&[RuleNumber]; 2]) -> Option<RuleId> {
        let subject = subject(kind, permission);
        let counts = |number: &RuleNumber| self.rules[*number].names(subject);
        let found = named.into_iter().filter_map(|numbers| numbers.iter().copied().find(counts));
        found.chain(self.everywhere(subject)).min().map(|number| self.rules[number].id)
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
            note: String::new(),
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
                    note: String::new(),
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
        for grants in [Grants::default(), Grants::compile(core::iter::empty::<Rule>())] {
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
    fn a_slug_in_the_form_of_an_identity_is_none() {
        let meant = KeyId::new(Uuid::from_u128(77)).to_string();
        let grants = Grants::compile([rule(1, &["team", "kms_key"], &[&meant, "slug"], &["read"])]);
        assert_eq!(grants.on_key(&[Permission::Read], KEY, &meant), None, "another key's slug");
        assert_eq!(grants.on_key(&[Permission::Read], KEY, "slug"), Some(id(1)));
        assert_eq!(grants.on(ResourceType::Team, Permission::Read, "team-1", Some(&meant)), None);
        assert_eq!(grants.on(ResourceType::Team, Permission::Read, &meant, None), Some(id(1)));
    }

    #[test]
    fn an_empty_entry_names_nothing() {
        let grants = Grants::compile([rule(1, &["team", "kms_key"], &[""], &["create"])]);
        for kind in [ResourceType::Team, ResourceType::KmsKey] {
            assert_eq!(grants.on(kind, Permission::Create, "", None), None);
            assert_eq!(grants.on(kind, Permission::Create, "", Some("")), None);
        }
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
