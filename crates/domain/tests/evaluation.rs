//! A model of who may do what: random organisations, asked by the real code and by an evaluator that reads bindings and rules in
//! the plainest words.
#![expect(clippy::expect_used, reason = "generated paths are legal")]

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use strongroom_domain::directory::{
    Binding, BoundTo, DirectoryObject, MemberRole, Named, OrganisationMember, Project, Role, TeamMember, TeamRole,
};
use strongroom_domain::iam::{
    BoundRole, Effective, Explanation, Permission, Question, ResourceType, Rule, Target, explain,
};
use strongroom_domain::id::{
    BindingId, KeyId, MemberId, OrganisationId, ProjectId, RoleId, RuleId, ServiceAccountId, TeamId, TeamMemberId,
    UserId,
};
use strongroom_domain::metadata::Metadata;
use strongroom_domain::path::SecretPath;
use strongroom_domain::principal::Principal;
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

const ORGANISATION: OrganisationId = OrganisationId::new(Uuid::from_u128(1));
const KEY: KeyId = KeyId::new(Uuid::from_u128(2));
const USERS: u128 = 3;
const ACCOUNTS: u128 = 2;
const TEAMS: u128 = 3;
const AT: Timestamp = Timestamp::from_micros(0);

#[derive(Clone, Debug)]
struct World {
    members: Vec<OrganisationMember>,
    team_members: Vec<TeamMember>,
    projects: Vec<Project>,
    roles: Vec<Role>,
    bindings: Vec<Binding>,
}

/// Resources, identities and permissions.
type RuleParts = (Vec<String>, Vec<String>, Vec<String>);

/// What somebody asks for.
#[derive(Clone, Debug)]
enum Wish {
    Secret(SecretPath),
    Key(&'static str),
    Team(&'static str, Option<&'static str>),
    List(ResourceType),
}

fn named(slug: &str) -> Named {
    Named::new(slug.to_owned(), slug.to_owned(), Metadata::default(), AT)
}

fn words(known: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    subsequence(known, 0..=most).prop_shuffle().prop_map(|words| words.into_iter().map(str::to_owned).collect())
}

fn rules() -> impl Strategy<Value = Vec<RuleParts>> {
    let identity = prop_oneof![
        3 => "(/([ab]{1,2}|\\*)){1,4}",
        2 => "(/([ab]|\\*\\*|a\\*|\\*b)){1,4}(/\\*)?",
        1 => select(&["*", "blue", "red", "team-x", "a/b", "/a//*", ""][..]).prop_map(str::to_owned),
        1 => Just(KEY.to_string()),
    ];
    let resources = words(&["secret", "kms_key", "team", "*", "dns_zone"], 2);
    let permissions = words(&["read", "list", "getSecretValue", "encrypt", "*", "push"], 3);
    proptest::collection::vec((resources, proptest::collection::vec(identity, 0..3), permissions), 0..4)
}

fn bound_to() -> impl Strategy<Value = BoundTo> {
    prop_oneof![
        2 => (0..USERS).prop_map(|number| BoundTo::User(UserId::new(Uuid::from_u128(10 + number)))),
        2 => (0..TEAMS).prop_map(|number| BoundTo::Team(TeamId::new(Uuid::from_u128(20 + number)))),
        // A service account with a team's number: a binding must not reach it.
        1 => (0..ACCOUNTS).prop_map(|number| BoundTo::ServiceAccount(ServiceAccountId::new(Uuid::from_u128(30 + number)))),
    ]
}

fn worlds() -> impl Strategy<Value = World> {
    let owners = proptest::collection::vec(prop::bool::weighted(0.1), USERS as usize);
    let joined = subsequence((0..USERS * TEAMS).collect::<Vec<_>>(), 0..=5);
    let limits = proptest::collection::vec(select(&["web", "api", "gone", "#0", "#1"][..]), 0..3);
    let limits = prop_oneof![Just(Vec::new()), limits];
    let bindings = proptest::collection::vec((any::<prop::sample::Index>(), bound_to(), limits), 0..8);
    (owners, joined, proptest::collection::vec(rules(), 1..5), bindings).prop_map(
        |(owners, joined, roles, bindings)| {
            let projects = project_list();
            let roles = role_list(roles);
            let bindings = bindings.into_iter().enumerate().map(|(number, (role, to, limits))| Binding {
                id: BindingId::new(Uuid::from_u128(3_000 + number as u128)),
                organisation: ORGANISATION,
                role: role.get(&roles).id,
                named: named(&format!("binding-{number}")),
                to,
                projects: limits.into_iter().map(|limit| spelled(limit, &projects)).collect(),
            });
            World {
                members: members(&owners),
                team_members: joined.into_iter().map(team_member).collect(),
                bindings: bindings.collect(),
                projects,
                roles,
            }
        },
    )
}

fn members(owners: &[bool]) -> Vec<OrganisationMember> {
    let member = |(number, owner): (u128, &bool)| OrganisationMember {
        id: MemberId::new(Uuid::from_u128(40 + number)),
        organisation: ORGANISATION,
        user: UserId::new(Uuid::from_u128(10 + number)),
        role: if *owner { MemberRole::Owner } else { MemberRole::Member },
        created_at: AT,
    };
    (0..).zip(owners).map(member).collect()
}

fn team_member(number: u128) -> TeamMember {
    TeamMember {
        id: TeamMemberId::new(Uuid::from_u128(50 + number)),
        organisation: ORGANISATION,
        team: TeamId::new(Uuid::from_u128(20 + number / USERS)),
        user: UserId::new(Uuid::from_u128(10 + number % USERS)),
        role: TeamRole::Member,
        created_at: AT,
        updated_at: AT,
    }
}

fn project_list() -> Vec<Project> {
    let project = |(number, slug): (u128, &str)| Project {
        id: ProjectId::new(Uuid::from_u128(60 + number)),
        organisation: ORGANISATION,
        named: named(slug),
        parent: None,
    };
    (0..).zip(["web", "api"]).map(project).collect()
}

/// `#n` stands for the identity of a project.
fn spelled(limit: &str, projects: &[Project]) -> String {
    match limit {
        "#0" => projects[0].id.to_string(),
        "#1" => projects[1].id.to_string(),
        slug => slug.to_owned(),
    }
}

fn role_list(roles: Vec<Vec<RuleParts>>) -> Vec<Role> {
    let role = |(number, rules): (u128, Vec<_>)| {
        let rule = |(at, (resources, resource_identities, permissions))| {
            let id = RuleId::new(Uuid::from_u128(1_000 + 10 * number + at));
            Rule { id, resources, resource_identities, permissions, note: String::new() }
        };
        let id = RoleId::new(Uuid::from_u128(2_000 + number));
        let rules = (0..).zip(rules).map(rule).collect();
        Role { id, organisation: ORGANISATION, named: named(&format!("role-{number}")), read_only: false, rules }
    };
    (0..).zip(roles).map(role).collect()
}

fn principals() -> impl Strategy<Value = Principal> {
    prop_oneof![
        3 => (0..USERS).prop_map(|number| Principal::User(UserId::new(Uuid::from_u128(10 + number)))),
        1 => (0..ACCOUNTS).prop_map(|number| Principal::ServiceAccount(ServiceAccountId::new(Uuid::from_u128(30 + number)))),
    ]
}

fn wishes() -> impl Strategy<Value = Wish> {
    prop_oneof![
        4 => "(/[ab]{1,2}){1,4}".prop_map(|path| Wish::Secret(path.parse().expect("legal"))),
        1 => select(&["blue", "green"][..]).prop_map(Wish::Key),
        1 => (select(&["team-x", "team-y"][..]), select(&[None, Some("red"), Some("green")][..]))
            .prop_map(|(identity, slug)| Wish::Team(identity, slug)),
        1 => select(&[ResourceType::Secret, ResourceType::Team, ResourceType::AuditLog][..]).prop_map(Wish::List),
    ]
}

/// As the engine does it: look up what is about the principal, pair bindings with roles, resolve, decide.
fn really(world: &World, who: Principal, project: Option<&Project>, question: &Question<'_>) -> Explanation {
    let mut subjects = Vec::new();
    let mut owner = None;
    match who {
        Principal::User(user) => {
            subjects.push(user.uuid());
            for member in world.team_members.iter().cloned().map(DirectoryObject::from) {
                if member.subject() == Some(user.uuid()) {
                    subjects.extend(member.parent());
                }
            }
            let member = world.members.iter().find(|member| member.user == user);
            owner = member.filter(|member| member.role == MemberRole::Owner).map(|member| member.id);
        }
        Principal::ServiceAccount(account) => subjects.push(account.uuid()),
        Principal::Operator(_) => {}
    }
    let about = |binding: &&Binding| {
        let subject = DirectoryObject::from((*binding).clone()).subject();
        subject.is_some_and(|subject| subjects.contains(&subject))
    };
    let bound: Vec<BoundRole> = world
        .bindings
        .iter()
        .filter(about)
        .filter_map(|binding| {
            let role = world.roles.iter().find(|role| role.id == binding.role)?;
            let (projects, rules) = (binding.projects.clone().into(), role.rules.clone().into());
            Some(BoundRole { role: role.id, binding: binding.id, projects, rules })
        })
        .collect();
    let project = project.map(|project| (project.id, project.named.slug.as_str()));
    explain(&Effective::of(owner, &bound, project), &bound, question)
}

/// The rule that allows, with its role and binding, in the plainest words. `None` for a no.
type Answer = Option<(RuleId, Option<(RoleId, BindingId)>)>;

fn plainly(world: &World, who: Principal, project: Option<&Project>, permission: Permission, wish: &Wish) -> Answer {
    if let Principal::User(user) = who {
        for member in &world.members {
            if member.user == user && member.role == MemberRole::Owner {
                return Some((RuleId::new(member.id.uuid()), None));
            }
        }
    }
    for binding in &world.bindings {
        let reaches = match (binding.to, who) {
            (BoundTo::User(to), Principal::User(user)) => to == user,
            (BoundTo::Team(to), Principal::User(user)) => {
                world.team_members.iter().any(|member| member.team == to && member.user == user)
            }
            (BoundTo::ServiceAccount(to), Principal::ServiceAccount(account)) => to == account,
            _ => false,
        };
        let here = match project {
            _ if binding.projects.is_empty() => true,
            None => false,
            Some(project) => {
                binding.projects.iter().any(|name| *name == project.id.to_string() || *name == project.named.slug)
            }
        };
        if !reaches || !here {
            continue;
        }
        for role in world.roles.iter().filter(|role| role.id == binding.role) {
            for rule in &role.rules {
                if allows(rule, permission, wish) {
                    return Some((rule.id, Some((role.id, binding.id))));
                }
            }
        }
    }
    None
}

fn allows(rule: &Rule, permission: Permission, wish: &Wish) -> bool {
    let kind = match wish {
        Wish::Secret(_) => "secret",
        Wish::Key(_) => "kms_key",
        Wish::Team(..) => "team",
        Wish::List(kind) => kind.as_str(),
    };
    let has = |list: &[String], word: &str| list.contains(&word.to_owned()) || list.contains(&"*".to_owned());
    if !has(&rule.resources, kind) || !has(&rule.permissions, permission.as_str()) {
        return false;
    }
    let entries = &rule.resource_identities;
    entries.is_empty()
        || match wish {
            Wish::Secret(path) => entries.iter().any(|entry| matches(entry, path.as_str())),
            Wish::Key(slug) => has(entries, slug) || has(entries, &KEY.to_string()),
            Wish::Team(identity, slug) => has(entries, identity) || slug.is_some_and(|slug| has(entries, slug)),
            Wish::List(_) => true,
        }
}

/// Character by character, over the entry as it is written.
fn matches(entry: &str, path: &str) -> bool {
    entry == "*" || (entry.starts_with('/') && matches_rest(entry, path))
}

fn matches_rest(entry: &str, path: &str) -> bool {
    if entry == "/*" {
        return path.starts_with('/');
    }
    if let Some(rest) = entry.strip_prefix("/**").filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        let mut from = Some(path).filter(|path| path.is_empty() || path.starts_with('/'));
        while let Some(path) = from {
            if matches_rest(rest, path) {
                return true;
            }
            from = path.get(1..).map(|tail| tail.find('/').map_or("", |at| &tail[at..]));
        }
        return false;
    }
    let (Some(first), tail) = (entry.chars().next(), entry.get(1..).unwrap_or_default()) else {
        return path.is_empty();
    };
    if first == '*' {
        let end = path.find('/').unwrap_or(path.len());
        return (0..=end).any(|taken| matches_rest(tail, &path[taken..]));
    }
    path.strip_prefix(first).is_some_and(|path| matches_rest(tail, path))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_real_code_decides_as_the_rules_read(
        world in worlds(),
        asked in proptest::collection::vec((principals(), 0_usize..3, wishes()), 12),
        permission in select(&[Permission::Read, Permission::List, Permission::GetSecretValue, Permission::Encrypt][..]),
    ) {
        for (who, project, wish) in asked {
            let project = world.projects.get(project);
            let target = match &wish {
                Wish::Secret(path) => Target::Secret(path),
                Wish::Key(slug) => Target::Key(KEY, slug),
                Wish::Team(identity, slug) => Target::Named(ResourceType::Team, identity, *slug),
                Wish::List(kind) => Target::Any(*kind),
            };
            let real = really(&world, who, project, &Question { target, any_of: &[permission] });
            let plain = plainly(&world, who, project, permission, &wish);
            match real {
                Explanation::Allowed { rule, source } => prop_assert_eq!(Some((rule, source)), plain, "{:?}", wish),
                Explanation::Denied(denial) => {
                    prop_assert_eq!(None, plain, "{:?} {:?}", who, wish);
                    prop_assert!(denial.near.iter().all(|miss| world.bindings.iter().any(|it| it.id == miss.binding)));
                }
            }
        }
    }
}

#[test]
fn the_plain_matcher_reads_entries_as_they_are_meant() {
    for (entry, path, expected) in [
        ("/a/**/b", "/a/b", true),
        ("/a/**/b", "/a/x/y/b", true),
        ("/a/**", "/a", true),
        ("/a/**", "/aa", false),
        ("/a/*", "/a", false),
        ("/a/*", "/a/b/c", true),
        ("/*/b", "/a/b", true),
        ("/*/b", "/a/x/b", false),
        ("/a*/b", "/a/b", true),
        ("/**/*", "/a", true),
        ("/a//*", "/a/b", false),
        ("a/b", "/a/b", false),
    ] {
        assert_eq!(matches(entry, path), expected, "{entry} {path}");
    }
}
