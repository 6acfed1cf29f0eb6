use super::{Row, encode, handle_column};
use crate::entity::directory_object::Model;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use strongroom_domain::directory::{
    AccessCredential, AudienceMatch, Binding, BoundTo, DirectoryObject, Expiry, FederatedIdentity,
    FederatedIdentityStatus, IdentityProvider, Login, MemberRole, Named, ObjectKind, OrganisationMember, Project,
    ProviderStatus, Role, Scopes, ServiceAccount, SubjectPattern, Team, TeamMember, TeamRole, User,
};
use strongroom_domain::document::Document;
use strongroom_domain::iam::Rule;
use strongroom_domain::id::{
    BindingId, CredentialId, FederatedIdentityId, MemberId, OrganisationId, ProjectId, ProviderId, RoleId, RuleId,
    ServiceAccountId, TeamId, TeamMemberId, UserId,
};
use strongroom_domain::metadata::Metadata;
use strongroom_domain::principal::Principal;
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

const ORGANISATION: OrganisationId = OrganisationId::new(id(1));

const fn id(number: u128) -> Uuid {
    Uuid::from_u128(number << 64 | 0xabcd)
}

fn at(second: i64) -> Timestamp {
    Timestamp::EPOCH.plus_seconds(second)
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn named(slug: &str) -> Named {
    let entry = |key: &str, value: &str| BTreeMap::from([(text(key), text(value))]);
    let metadata = Metadata::new(text("what it is för"), entry("team", "a"), entry("note", "x\ny")).expect("legal");
    Named { updated_at: Some(at(7)), object_version: 3, ..Named::new(text("A name"), text(slug), metadata, at(5)) }
}

fn bare(slug: &str) -> Named {
    Named::new(String::new(), text(slug), Metadata::default(), at(0))
}

fn expiry() -> Expiry {
    Expiry { at: at(86_400), text: text("1970-01-02T01:00:00.000+01:00") }
}

fn scopes(list: &[&str]) -> Scopes {
    Scopes::new(list.iter().map(|scope| text(scope)).collect()).expect("known")
}

fn rule(number: u128) -> Rule {
    Rule {
        id: RuleId::new(id(number)),
        resources: vec![text("secret"), text("unheard of")],
        resource_identities: vec![text("/app/**"), String::new()],
        permissions: vec![text("*")],
        note: text("why"),
    }
}

/// One of each kind, with everything that it can have.
fn full() -> Vec<DirectoryObject> {
    let (organisation, user) = (ORGANISATION, UserId::new(id(2)));
    let service_account = ServiceAccountId::new(id(6));
    let condition = Document::Map(vec![(text("a"), Document::List(vec![Document::Bool(true), Document::Null]))]);
    vec![
        User {
            id: user,
            login: Some(Login { issuer: text("https://login.example"), subject: text("s|1") }),
            name: text("Ada"),
            email: text("ada@example.org"),
            created_at: at(1),
        }
        .into(),
        OrganisationMember { id: MemberId::new(id(3)), organisation, user, role: MemberRole::Owner, created_at: at(2) }
            .into(),
        Team { id: TeamId::new(id(4)), organisation, named: named("team") }.into(),
        TeamMember {
            id: TeamMemberId::new(id(5)),
            organisation,
            team: TeamId::new(id(4)),
            user,
            role: TeamRole::Admin,
            created_at: at(3),
            updated_at: at(4),
        }
        .into(),
        ServiceAccount {
            id: service_account,
            organisation,
            named: named("workload"),
            created_by: Some(Principal::User(user)),
        }
        .into(),
        AccessCredential {
            id: CredentialId::new(id(7)),
            organisation,
            service_account,
            name: text("ci"),
            description: text("for builds"),
            access_key: text("AK-1_x"),
            digest: core::array::from_fn(|byte| byte as u8),
            digest_key_version: 2,
            scopes: scopes(&["api:read", "kubernetes"]),
            expires: Some(expiry()),
            created_at: at(6),
        }
        .into(),
        Role {
            id: RoleId::new(id(8)),
            organisation,
            named: named("role"),
            read_only: true,
            rules: vec![rule(9), Rule::everything(RuleId::new(id(10)))],
        }
        .into(),
        Binding {
            id: BindingId::new(id(11)),
            organisation,
            role: RoleId::new(id(8)),
            named: named("binding"),
            to: BoundTo::Team(TeamId::new(id(4))),
            projects: vec![text("prj-x"), text("web")],
        }
        .into(),
        IdentityProvider {
            id: ProviderId::new(id(12)),
            organisation,
            named: named("provider"),
            issuer: text("https://issuer.example/"),
            jwks_uri: Some(text("https://issuer.example/keys")),
            local_jwks: Some(text(r#"{"keys":[]}"#)),
            status: ProviderStatus::Active,
            created_by: Some(Principal::ServiceAccount(service_account)),
        }
        .into(),
        FederatedIdentity {
            id: FederatedIdentityId::new(id(13)),
            organisation,
            named: named("identity"),
            service_account,
            provider: ProviderId::new(id(12)),
            subject: SubjectPattern::new(text("repo:a/*")).expect("legal"),
            audiences: vec![text("strongroom")],
            audience_match: AudienceMatch::All,
            scopes: scopes(&["api:write"]),
            status: FederatedIdentityStatus::Inactive,
            expires: Some(expiry()),
            conditions: vec![(text("ref"), condition), (text("ref"), Document::Integer(-1))],
        }
        .into(),
        Project {
            id: ProjectId::new(id(14)),
            organisation,
            named: named("project"),
            parent: Some(ProjectId::new(id(15))),
        }
        .into(),
    ]
}

/// What can be missing is, and other variants.
fn sparse() -> Vec<DirectoryObject> {
    full()
        .into_iter()
        .flat_map(|object| match object {
            DirectoryObject::User(it) => vec![User { login: None, email: String::new(), ..it }.into()],
            DirectoryObject::OrganisationMember(it) => {
                vec![OrganisationMember { role: MemberRole::Member, ..it }.into()]
            }
            DirectoryObject::Team(it) => vec![Team { named: bare("t"), ..it }.into()],
            DirectoryObject::TeamMember(it) => {
                [TeamRole::Owner, TeamRole::Member].map(|role| TeamMember { role, ..it.clone() }.into()).to_vec()
            }
            DirectoryObject::ServiceAccount(it) => [None, Some(Principal::Operator(CredentialId::new(id(20))))]
                .map(|created_by| ServiceAccount { created_by, ..it.clone() }.into())
                .to_vec(),
            DirectoryObject::AccessCredential(it) => {
                vec![AccessCredential { scopes: Scopes::default(), expires: None, name: String::new(), ..it }.into()]
            }
            DirectoryObject::Role(it) => vec![Role { read_only: false, rules: Vec::new(), ..it }.into()],
            DirectoryObject::Binding(it) => {
                [BoundTo::User(UserId::new(id(2))), BoundTo::ServiceAccount(ServiceAccountId::new(id(6)))]
                    .map(|to| Binding { to, projects: Vec::new(), ..it.clone() }.into())
                    .to_vec()
            }
            DirectoryObject::IdentityProvider(it) => vec![
                IdentityProvider {
                    jwks_uri: None,
                    local_jwks: None,
                    status: ProviderStatus::Inactive,
                    created_by: None,
                    ..it
                }
                .into(),
            ],
            DirectoryObject::FederatedIdentity(it) => [
                (AudienceMatch::Exact, FederatedIdentityStatus::Active),
                (AudienceMatch::Any, FederatedIdentityStatus::Expired),
                (AudienceMatch::Any, FederatedIdentityStatus::Revoked),
            ]
            .map(|(audience_match, status)| {
                FederatedIdentity {
                    audiences: Vec::new(),
                    audience_match,
                    status,
                    expires: None,
                    conditions: Vec::new(),
                    ..it.clone()
                }
                .into()
            })
            .to_vec(),
            DirectoryObject::Project(it) => vec![Project { parent: None, ..it }.into()],
        })
        .collect()
}

fn model(object: &DirectoryObject, body: Vec<u8>) -> Model {
    let Row { kind, id, organisation, parent, subject, handle } = Row::of(object);
    Model { kind: kind.to_owned(), id, organisation, parent, subject, handle: handle.into_owned(), body }
}

#[test]
fn every_kind_reads_back_as_it_was() {
    let kinds: HashSet<ObjectKind> = full().iter().map(DirectoryObject::kind).collect();
    assert_eq!(kinds.len(), ObjectKind::ALL.len());
    for object in full().into_iter().chain(sparse()) {
        assert_eq!(model(&object, encode(&object)).read().expect("whole"), object);
    }
}

#[test]
fn damage_is_seen() {
    for object in full().into_iter().chain(sparse()) {
        let body = encode(&object);
        for length in 0..body.len() {
            assert!(model(&object, body[..length].to_vec()).read().is_err(), "{:?} of {length}", object.kind());
        }
        assert!(model(&object, [body.clone(), vec![0]].concat()).read().is_err());
        for place in 0..body.len() {
            let mut damaged = body.clone();
            damaged[place] ^= 0xff;
            // A text may be another text; nothing reads as what was stored.
            if let Ok(read) = model(&object, damaged).read() {
                assert_ne!(read, object, "byte {place}");
            }
        }
    }
}

#[test]
fn an_object_under_the_columns_of_another_is_damaged() {
    let objects = full();
    let columns: [fn(&mut Model); 6] = [
        |model| model.kind.push('x'),
        |model| model.id = id(99),
        |model| model.organisation = id(99),
        |model| model.parent = Some(id(99)),
        |model| model.subject = Some(id(99)),
        |model| model.handle.push('x'),
    ];
    for object in &objects {
        for change in columns {
            let mut model = model(object, encode(object));
            change(&mut model);
            assert!(model.read().is_err(), "{:?}", object.kind());
        }
    }
}

#[test]
fn handles_keep_apart_and_fit_every_database() {
    let handles = ["a\0b", "a\u{1}b", "a\u{1}0b", "a\u{1}1b", "a0b", "ab", "\0", "\u{1}"];
    let columns: HashSet<String> = handles.map(|handle| handle_column(Cow::Borrowed(handle)).into_owned()).into();
    assert_eq!(columns.len(), handles.len());
    assert!(columns.iter().all(|column| !column.contains('\0')));
    assert_eq!(handle_column(Cow::Borrowed("a-slug ü")), "a-slug ü");
}

/// What was stored once is readable for ever. A new format gets new fixtures beside these.
#[test]
fn stored_bytes_stay_readable() {
    let fixture = |kind| match kind {
        ObjectKind::User => include_str!("fixtures/user.hex"),
        ObjectKind::OrganisationMember => include_str!("fixtures/organisation_member.hex"),
        ObjectKind::Team => include_str!("fixtures/team.hex"),
        ObjectKind::TeamMember => include_str!("fixtures/team_member.hex"),
        ObjectKind::ServiceAccount => include_str!("fixtures/service_account.hex"),
        ObjectKind::AccessCredential => include_str!("fixtures/access_credential.hex"),
        ObjectKind::Role => include_str!("fixtures/role.hex"),
        ObjectKind::Binding => include_str!("fixtures/binding.hex"),
        ObjectKind::IdentityProvider => include_str!("fixtures/identity_provider.hex"),
        ObjectKind::FederatedIdentity => include_str!("fixtures/federated_identity.hex"),
        ObjectKind::Project => include_str!("fixtures/project.hex"),
    };
    for object in full() {
        let digits: Vec<char> = fixture(object.kind()).chars().filter(|digit| !digit.is_whitespace()).collect();
        let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hexadecimal");
        let stored: Vec<u8> = digits.chunks(2).map(byte).collect();
        assert_eq!(model(&object, stored).read().expect("readable"), object);
    }
}
