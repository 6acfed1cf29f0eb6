//! Objects of the directory.

use super::{at, digest, metadata, uuid};
use strongroom_domain::directory::{
    AccessCredential, AudienceMatch, Binding, BoundTo, DirectoryObject, Expiry, FederatedIdentity,
    FederatedIdentityStatus, IdentityProvider, Login, MemberRole, Named, OrganisationMember, Project, ProviderStatus,
    Role, Scopes, ServiceAccount, SubjectPattern, Team, TeamMember, TeamRole, User,
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

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// These scopes.
///
/// # Panics
/// When one of them isn't known.
#[must_use]
pub fn scopes(scopes: &[&str]) -> Scopes {
    Scopes::new(owned(scopes)).unwrap_or_else(|unknown| panic!("{unknown:?} is no scope"))
}

/// An end, written otherwise than times usually are here.
#[must_use]
pub fn expiry(at: Timestamp) -> Expiry {
    Expiry { at, text: at.to_rfc3339().replace('Z', "+00:00") }
}

/// The slug, and a name and everything else made of it, after two changes.
#[must_use]
pub fn named(slug: &str) -> Named {
    let mut named = Named::new(format!("{slug} by name"), slug.to_owned(), metadata(slug), at(1));
    named.touch(at(2));
    named.touch(at(3));
    named
}

/// The slug and a name, and nothing else.
fn unadorned(slug: &str) -> Named {
    Named::new(slug.to_owned(), slug.to_owned(), Metadata::default(), at(1))
}

/// A user whom an issuer vouches for.
#[must_use]
pub fn user() -> User {
    let id = UserId::new(uuid());
    let login = Login { issuer: "https://login.example".to_owned(), subject: format!("subject of {id}") };
    User {
        id,
        login: Some(login),
        name: "Zoë Example".to_owned(),
        email: "zoe@example.test".to_owned(),
        created_at: at(1),
    }
}

/// An owner's membership.
#[must_use]
pub fn member(organisation: OrganisationId, user: UserId) -> OrganisationMember {
    OrganisationMember { id: MemberId::new(uuid()), organisation, user, role: MemberRole::Owner, created_at: at(1) }
}

/// A team.
#[must_use]
pub fn team(organisation: OrganisationId, slug: &str) -> Team {
    Team { id: TeamId::new(uuid()), organisation, named: named(slug) }
}

/// A membership in a team.
#[must_use]
pub fn team_member(organisation: OrganisationId, team: TeamId, user: UserId) -> TeamMember {
    TeamMember {
        id: TeamMemberId::new(uuid()),
        organisation,
        team,
        user,
        role: TeamRole::Member,
        created_at: at(1),
        updated_at: at(2),
    }
}

/// A service account that a user made.
#[must_use]
pub fn service_account(organisation: OrganisationId, slug: &str) -> ServiceAccount {
    let created_by = Some(Principal::User(UserId::new(uuid())));
    ServiceAccount { id: ServiceAccountId::new(uuid()), organisation, named: named(slug), created_by }
}

/// A credential of a service account that may do everything until [`at`]`(1_000)`.
#[must_use]
pub fn access_credential(organisation: OrganisationId, service_account: ServiceAccountId) -> AccessCredential {
    AccessCredential {
        id: CredentialId::new(uuid()),
        organisation,
        service_account,
        name: "deploy".to_owned(),
        description: "for what deploys – daily".to_owned(),
        access_key: format!("SRAK{}", uuid().simple()),
        digest: digest(),
        digest_key_version: 3,
        scopes: scopes(&["api:write", "kubernetes", "api:read"]),
        expires: Some(expiry(at(1_000))),
        created_at: at(1),
    }
}

/// A role with a rule about secrets and one that says as little as rules can.
#[must_use]
pub fn role(organisation: OrganisationId, slug: &str) -> Role {
    let rule = Rule {
        id: RuleId::new(uuid()),
        resources: owned(&["secret", "kms_key", "no such type"]),
        resource_identities: owned(&["/app/prod/*", "my-key"]),
        permissions: owned(&["read", "list", "read"]),
        note: "what production needs – ß".to_owned(),
    };
    let empty = Rule {
        id: RuleId::new(uuid()),
        resources: Vec::new(),
        resource_identities: Vec::new(),
        permissions: Vec::new(),
        note: String::new(),
    };
    Role { id: RoleId::new(uuid()), organisation, named: named(slug), read_only: false, rules: vec![rule, empty] }
}

/// A binding that is limited to two projects.
#[must_use]
pub fn binding(organisation: OrganisationId, role: RoleId, to: BoundTo, slug: &str) -> Binding {
    let projects = vec!["web".to_owned(), ProjectId::new(uuid()).to_string()];
    Binding { id: BindingId::new(uuid()), organisation, role, named: named(slug), to, projects }
}

/// An active provider that the operator made.
#[must_use]
pub fn identity_provider(organisation: OrganisationId, issuer: &str) -> IdentityProvider {
    IdentityProvider {
        id: ProviderId::new(uuid()),
        organisation,
        named: named("provider"),
        issuer: issuer.to_owned(),
        jwks_uri: Some(format!("{issuer}/keys")),
        local_jwks: Some("{\"keys\": [ ] }".to_owned()),
        status: ProviderStatus::Active,
        created_by: Some(Principal::Operator(CredentialId::new(uuid()))),
    }
}

/// An active federated identity with conditions of every type.
///
/// # Panics
/// Never, as long as the domain accepts its subject.
#[must_use]
pub fn federated_identity(
    organisation: OrganisationId,
    provider: ProviderId,
    service_account: ServiceAccountId,
    slug: &str,
) -> FederatedIdentity {
    let text = |text: &str| Document::Text(text.to_owned());
    let nested = Document::Map(vec![("z".to_owned(), Document::Null), ("a".to_owned(), Document::List(Vec::new()))]);
    FederatedIdentity {
        id: FederatedIdentityId::new(uuid()),
        organisation,
        named: named(slug),
        service_account,
        provider,
        subject: subject("repo:example/*:ref:main"),
        audiences: owned(&["https://strongroom.example", "another"]),
        audience_match: AudienceMatch::Any,
        scopes: scopes(&["api:read"]),
        status: FederatedIdentityStatus::Active,
        expires: Some(expiry(at(2_000))),
        conditions: vec![
            ("ref".to_owned(), text("refs/heads/main")),
            ("groups".to_owned(), Document::List(vec![text("b"), text("a"), Document::Integer(i64::MAX)])),
            ("admin".to_owned(), Document::Bool(true)),
            ("account".to_owned(), nested),
        ],
    }
}

fn subject(pattern: &str) -> SubjectPattern {
    SubjectPattern::new(pattern.to_owned()).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

/// A project below another.
#[must_use]
pub fn project(organisation: OrganisationId, slug: &str) -> Project {
    Project { id: ProjectId::new(uuid()), organisation, named: named(slug), parent: Some(ProjectId::new(uuid())) }
}

/// Of every kind an object with all fields filled, one with nothing that may be left out, and those that it takes to have every role,
/// status and principal once. All handles differ.
#[must_use]
pub fn directory_objects(organisation: OrganisationId) -> Vec<DirectoryObject> {
    let mut objects = people(organisation);
    objects.extend(workloads(organisation));
    objects.extend(roles(organisation));
    objects.extend(federation(organisation));
    objects.push(project(organisation, "full").into());
    objects.push(Project { named: unadorned("bare"), parent: None, ..project(organisation, "bare") }.into());
    objects
}

fn people(organisation: OrganisationId) -> Vec<DirectoryObject> {
    let full = user();
    let (id, team) = (full.id, team(organisation, "full"));
    let owner = team_member(organisation, team.id, id);
    let other = || UserId::new(uuid());
    vec![
        full.into(),
        User { login: None, name: String::new(), email: String::new(), ..user() }.into(),
        member(organisation, id).into(),
        OrganisationMember { role: MemberRole::Member, ..member(organisation, other()) }.into(),
        TeamMember { role: TeamRole::Owner, ..owner }.into(),
        TeamMember { role: TeamRole::Admin, ..team_member(organisation, team.id, other()) }.into(),
        TeamMember { updated_at: at(1), ..team_member(organisation, team.id, other()) }.into(),
        team.into(),
        Team { named: unadorned("bare"), ..self::team(organisation, "bare") }.into(),
    ]
}

fn workloads(organisation: OrganisationId) -> Vec<DirectoryObject> {
    let full = service_account(organisation, "full");
    let by = |slug, principal| ServiceAccount { created_by: Some(principal), ..service_account(organisation, slug) };
    let bare = AccessCredential {
        name: String::new(),
        description: String::new(),
        scopes: Scopes::default(),
        expires: None,
        ..access_credential(organisation, full.id)
    };
    vec![
        access_credential(organisation, full.id).into(),
        bare.into(),
        by("by-service-account", Principal::ServiceAccount(full.id)).into(),
        by("by-operator", Principal::Operator(CredentialId::new(uuid()))).into(),
        full.into(),
        ServiceAccount { named: unadorned("bare"), created_by: None, ..service_account(organisation, "bare") }.into(),
    ]
}

fn roles(organisation: OrganisationId) -> Vec<DirectoryObject> {
    let full = role(organisation, "full");
    let bind = |slug, to| binding(organisation, full.id, to, slug);
    vec![
        bind("to-user", BoundTo::User(UserId::new(uuid()))).into(),
        bind("to-team", BoundTo::Team(TeamId::new(uuid()))).into(),
        Binding {
            named: unadorned("bare"),
            projects: Vec::new(),
            ..bind("bare", BoundTo::ServiceAccount(ServiceAccountId::new(uuid())))
        }
        .into(),
        full.into(),
        Role { named: unadorned("bare"), read_only: true, rules: Vec::new(), ..role(organisation, "bare") }.into(),
    ]
}

fn federation(organisation: OrganisationId) -> Vec<DirectoryObject> {
    let full = identity_provider(organisation, "https://full.example/");
    let account = ServiceAccountId::new(uuid());
    let identity = |slug| federated_identity(organisation, full.id, account, slug);
    let bare = FederatedIdentity {
        named: unadorned("bare"),
        subject: subject("x"),
        audiences: Vec::new(),
        audience_match: AudienceMatch::Exact,
        scopes: Scopes::default(),
        status: FederatedIdentityStatus::Inactive,
        expires: None,
        conditions: Vec::new(),
        ..identity("bare")
    };
    let expired = FederatedIdentity {
        audience_match: AudienceMatch::All,
        status: FederatedIdentityStatus::Expired,
        ..identity("expired")
    };
    let bare_provider = IdentityProvider {
        named: unadorned("bare"),
        jwks_uri: None,
        local_jwks: None,
        status: ProviderStatus::Inactive,
        created_by: None,
        ..identity_provider(organisation, "https://bare.example")
    };
    vec![
        identity("full").into(),
        bare.into(),
        expired.into(),
        FederatedIdentity { status: FederatedIdentityStatus::Revoked, ..identity("revoked") }.into(),
        full.into(),
        bare_provider.into(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use strongroom_domain::directory::ObjectKind;
    use strongroom_domain::id::OrganisationId;

    #[test]
    fn of_every_kind_there_are_two_and_no_handle_twice() {
        let objects = super::directory_objects(OrganisationId::new(super::uuid()));
        for kind in ObjectKind::ALL {
            let of_kind: Vec<_> = objects.iter().filter(|object| object.kind() == *kind).collect();
            let handles: BTreeSet<_> = of_kind.iter().map(|object| object.handle()).collect();
            assert!(of_kind.len() >= 2 && handles.len() == of_kind.len(), "{kind:?}");
        }
    }
}
