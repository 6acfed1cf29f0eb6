use super::{Lack, check_escalation};
use crate::iam::{BoundRole, Effective, Grants, HeldRules, Permission, ResourceType, Rule};
use crate::id::{BindingId, KeyId, ProjectId, RoleId, RuleId};
use crate::path::SecretPath;
use crate::pattern::tests::{entries, paths};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::sync::Arc;
use uuid::Uuid;

const KEY: KeyId = KeyId::new(Uuid::from_u128(5));
const PROJECTS: [ProjectId; 2] = [ProjectId::new(Uuid::from_u128(1)), ProjectId::new(Uuid::from_u128(2))];

fn limited(resources: &[&str], identities: &[&str], permissions: &[&str], projects: &[&str]) -> HeldRules {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let rule = Rule {
        id: RuleId::new(Uuid::from_u128(1)),
        resources: owned(resources),
        resource_identities: owned(identities),
        permissions: owned(permissions),
        note: String::new(),
    };
    HeldRules { rules: vec![rule].into(), projects: owned(projects).into() }
}

fn rule(resources: &[&str], identities: &[&str], permissions: &[&str]) -> HeldRules {
    limited(resources, identities, permissions, &[])
}

fn only(held: &mut HeldRules) -> &mut Rule {
    &mut Arc::get_mut(&mut held.rules).expect("not shared")[0]
}

fn lack(held: &[HeldRules], granted: HeldRules) -> Option<Lack> {
    check_escalation(held, &[granted]).err().map(|missing| missing.lack)
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn a_rule_covers_what_is_within_it() {
    let everything = rule(&["*"], &[], &["*"]);
    let secrets = rule(&["secret"], &["/app/*", "/zoo/x"], &["read", "list"]);
    let teams = rule(&["team", "project"], &["a", "b"], &["*"]);
    let both = rule(&["*"], &["/app/*", "b"], &["read"]);
    for (held, granted, expected) in [
        (&everything, &everything, true),
        (&everything, &secrets, true),
        (&everything, &rule(&["dns_zone"], &["x"], &["push"]), true),
        (&secrets, &secrets, true),
        (&secrets, &everything, false),
        (&secrets, &rule(&["secret"], &["/app/prod/*", "/zoo/x"], &["read"]), true),
        (&secrets, &rule(&["secret"], &["/app/**"], &["read"]), false),
        (&secrets, &rule(&["secret"], &[], &["read"]), false),
        (&secrets, &rule(&["secret"], &["/app/x"], &["*"]), false),
        (&secrets, &rule(&["secret", "team"], &["/app/x"], &["read"]), false),
        (&secrets, &rule(&["secret"], &["no-path"], &["list"]), true),
        (&secrets, &rule(&["kms_key"], &["/app/*"], &["read"]), false),
        (&teams, &rule(&["team"], &["b"], &["update", "push"]), true),
        (&teams, &rule(&["team"], &["c"], &["update"]), false),
        (&teams, &rule(&["team"], &["*"], &["update"]), false),
        (&teams, &rule(&["team"], &[], &["update"]), false),
        // What names secrets and others must hold as a pattern and as a name.
        (&both, &rule(&["secret"], &["/app/x"], &["read"]), true),
        (&both, &rule(&["team"], &["/app/x"], &["read"]), false),
        (&both, &rule(&["team"], &["/app/*", "b"], &["read"]), true),
        (&both, &rule(&["secret", "team"], &["/app/*"], &["read"]), true),
        (&both, &rule(&["secret", "team"], &["/app/x"], &["read"]), false),
        (&both, &rule(&["*"], &["/app/x"], &["read"]), false),
        (&both, &rule(&["*"], &["/app/*"], &["read"]), true),
        // All secrets by a pattern are not all of everything.
        (&rule(&["*"], &["/**"], &["read"]), &rule(&["secret"], &[], &["read"]), true),
        (&rule(&["*"], &["/**"], &["read"]), &rule(&["*"], &[], &["read"]), false),
    ] {
        assert_eq!(lack(core::slice::from_ref(held), granted.clone()).is_none(), expected, "{granted:?} by {held:?}");
    }
}

#[test]
fn projects_limit_what_is_held() {
    let held = [limited(&["secret"], &[], &["*"], &["web", "api"])];
    let granted = |projects: &[&str]| limited(&["secret"], &[], &["read"], projects);
    assert_eq!(lack(&held, granted(&["web"])), None);
    assert_eq!(lack(&held, granted(&["api", "web"])), None);
    for projects in [&[][..], &["web", "other"], &["prj-web"]] {
        let found = lack(&held, granted(projects));
        assert!(matches!(found, Some(Lack::Projects { .. })), "{projects:?} {found:?}");
    }
    assert_eq!(lack(&[rule(&["secret"], &[], &["read"])], granted(&["web"])), None);
}

#[test]
fn in_each_project_some_rule_covers_it() {
    let held = [limited(&["secret"], &["/a/*"], &["*"], &["web"]), limited(&["secret"], &[], &["read"], &["api"])];
    let granted = |identity: &str, projects: &[&str]| limited(&["secret"], &[identity], &["read"], projects);
    assert_eq!(lack(&held, granted("/a/x", &["web", "api"])), None);
    for (identity, projects) in [("/b", &["web", "api"][..]), ("/a/x", &["web", "api", "shop"]), ("/a/x", &[])] {
        assert!(lack(&held, granted(identity, projects)).is_some(), "{identity} {projects:?}");
    }
    // One role that is bound twice: what is given once more is compared once, in all projects together.
    let again = HeldRules { rules: held[0].rules.clone(), projects: vec![text("api")].into() };
    let twice = [held[0].clone(), again];
    assert_eq!(lack(&twice, granted("/a/x", &["web", "api"])), None);
    assert_eq!(check_escalation(&twice, &twice), Ok(()));
    assert!(check_escalation(&held[..1], &twice).is_err());
    let everywhere = HeldRules { projects: Vec::new().into(), ..held[0].clone() };
    assert!(check_escalation(&twice, &[held[0].clone(), everywhere.clone()]).is_err());
    assert_eq!(check_escalation(&[everywhere, twice[1].clone()], &twice), Ok(()));
}

#[test]
fn what_takes_too_long_is_refused() {
    let entries =
        |last: &str| (0..1_000).map(|n| format!("/{}*{}{last}{n}", "*a".repeat(50), "*a".repeat(50))).collect();
    let many = |last: &str| {
        let mut many = rule(&["secret"], &[], &["read"]);
        only(&mut many).resource_identities = entries(last);
        many
    };
    let held: Vec<_> = (0..20).map(|_| many("b")).collect();
    assert_eq!(lack(&held, many("c")), Some(Lack::TooLarge));
    assert_eq!(lack(&held, many("b")), None);
    // One role, bound a thousand times: compared once.
    let projects: Vec<_> = (0..1_000).map(|n| format!("project-{n}")).collect();
    let bound = |n: usize| HeldRules { rules: held[0].rules.clone(), projects: projects[n..].to_vec().into() };
    let bound: Vec<_> = (0..1_000).map(bound).collect();
    assert_eq!(check_escalation(&bound, &bound), Ok(()));
}

#[test]
fn a_rule_that_gives_nothing_needs_nothing() {
    assert_eq!(lack(&[], rule(&[], &[], &["*"])), None);
    assert_eq!(lack(&[], rule(&["*"], &[], &[])), None);
    assert_eq!(lack(&[], rule(&["dns_zone"], &[], &["read"])), Some(Lack::Resource(text("dns_zone"))));
    assert_eq!(check_escalation(&[], &[]), Ok(()));
}

#[test]
fn what_is_missing_is_named() {
    let held = [rule(&["secret"], &["/a/*"], &["read"]), limited(&["team"], &[], &["read", "list"], &["web"])];
    for (granted, expected) in [
        (rule(&["secret", "kms_key"], &["/a/*"], &["read"]), "no rule of yours names the resource `kms_key`"),
        (rule(&["secret"], &["/a/x"], &["read", "update"]), "no rule of yours gives `update` on `secret`"),
        (rule(&["secret"], &["/a/x", "/b"], &["read"]), "no rule of yours gives `read` on all of `/b` (`secret`)"),
        (rule(&["secret"], &[], &["read"]), "no rule of yours gives `read` on all of `*` (`secret`)"),
        (
            rule(&["team"], &["x"], &["read"]),
            "no rule of yours gives `read` on `x` (`team`) in the whole organisation, but only in projects",
        ),
        (
            limited(&["team"], &["x"], &["list"], &["api", "web"]),
            "no rule of yours gives `list` on `x` (`team`) in the projects `api`, `web`",
        ),
    ] {
        assert_eq!(lack(&held, granted).expect("missing").to_string(), expected);
    }
    let parts = [rule(&["secret"], &["/a/*"], &["read"]), rule(&["secret"], &["/b/*"], &["read"])];
    assert_eq!(lack(&parts, rule(&["secret"], &["/a/x", "/b/x"], &["read"])), Some(Lack::InOneRule));
    let mut second = rule(&["team"], &[], &["read"]);
    only(&mut second).id = RuleId::new(Uuid::from_u128(9));
    let missing = check_escalation(&parts, &[parts[1].clone(), second]).expect_err("missing");
    assert_eq!(missing.rule, RuleId::new(Uuid::from_u128(9)));
}

fn names(known: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    subsequence(known, 0..3).prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn identity() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => entries(),
        2 => select(&["/**", "/a/*", "/*/b", "/a/b*", "/a/b", "/a/bb"][..]).prop_map(str::to_owned),
        2 => select(&["key-a", "key-b", "*"][..]).prop_map(str::to_owned),
        1 => Just(KEY.to_string()),
    ]
}

fn rules(most: usize) -> impl Strategy<Value = Vec<HeldRules>> {
    let one = (
        names(&["secret", "kms_key", "team", "*", "dns_zone"]),
        proptest::collection::vec(identity(), 0..3),
        names(&["read", "update", "encrypt", "*", "push"]),
        names(&["one", "two"]),
    );
    let one = one.prop_map(|(resources, resource_identities, permissions, projects)| {
        let (id, note) = (RuleId::new(Uuid::nil()), String::new());
        let rule = Rule { id, resources, resource_identities, permissions, note };
        HeldRules { rules: vec![rule].into(), projects: projects.into() }
    });
    proptest::collection::vec(one, 0..most)
}

/// The rules as they apply in a project, or outside of all.
fn effective(rules: &[HeldRules], project: Option<(ProjectId, &str)>) -> Effective {
    let bound = |(number, held): (usize, &HeldRules)| BoundRole {
        role: RoleId::new(Uuid::from_u128(number as u128)),
        binding: BindingId::new(Uuid::nil()),
        projects: held.projects.clone(),
        rules: held.rules.clone(),
    };
    Effective::of(None, &rules.iter().enumerate().map(bound).collect::<Vec<_>>(), project)
}

/// The rule with some of its parts taken from one of those that are held.
fn narrowed(mut rule: HeldRules, held: &[HeldRules], like: prop::sample::Index, alike: &[bool]) -> HeldRules {
    if held.is_empty() {
        return rule;
    }
    let like = like.get(held);
    let (narrowed, model) = (only(&mut rule), &like.rules[0]);
    if alike[0] {
        narrowed.resources.clone_from(&model.resources);
    }
    if alike[1] {
        narrowed.permissions.clone_from(&model.permissions);
    }
    if alike[3] {
        let entries = model.resource_identities.iter();
        narrowed.resource_identities = entries.map(|entry| entry.replacen('*', "a", 1)).collect();
    }
    if alike[2] {
        rule.projects.clone_from(&like.projects);
    }
    rule
}

fn allows(grants: &Grants, permission: Permission, path: &SecretPath) -> [bool; 5] {
    [
        grants.on_secret(permission, path).is_some(),
        grants.on_key(&[permission], KEY, "key-a").is_some(),
        grants.on(ResourceType::Team, permission, "key-b", Some("/a/b")).is_some(),
        grants.on(ResourceType::Project, permission, path.as_str(), None).is_some(),
        grants.anywhere(ResourceType::Secret, permission).is_some(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whoever_may_give_it_could_do_it(
        held in rules(5),
        granted in rules(3).prop_filter("some", |rules| !rules.is_empty()),
        like in any::<prop::sample::Index>(),
        alike in proptest::collection::vec(prop::bool::weighted(0.8), 4),
        project in select(&[None, Some((PROJECTS[0], "one")), Some((PROJECTS[1], "two"))][..]),
        permission in select(&[Permission::Read, Permission::Update, Permission::Encrypt, Permission::Export][..]),
        paths in proptest::collection::vec(paths(), 8),
    ) {
        // Near to what is held, so that some may be given.
        let granted: Vec<HeldRules> = granted.into_iter().map(|granted| narrowed(granted, &held, like, &alike)).collect();
        if check_escalation(&held, &granted).is_ok() {
            let (held, granted) = (effective(&held, project), effective(&granted, project));
            for path in paths {
                let may = allows(held.grants(), permission, &path);
                for (may, gains) in may.into_iter().zip(allows(granted.grants(), permission, &path)) {
                    prop_assert!(may || !gains, "{:?} {}", permission, path);
                }
            }
        }
    }

    #[test]
    fn everybody_may_give_what_they_hold(held in rules(4)) {
        prop_assert_eq!(check_escalation(&held, &held), Ok(()));
    }
}
