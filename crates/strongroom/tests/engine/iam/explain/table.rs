//! What is explained is what real calls do: each operation is called, by those who have just its permission, and by those who have all but it.

use super::supposed;
use crate::iam::support::House;
use crate::support::path;
use strongroom::domain::audit::Action;
use strongroom::domain::iam::{Permission, ResourceType};
use strongroom::domain::id::{FederatedIdentityId, ProviderId, UserId};
use strongroom::domain::path::Directory;
use strongroom::domain::port::IdGenerator;
use strongroom::iam::explain::{Operation, Stage, Supposed};
use strongroom::{Code, Error};

/// What the operations are about.
struct Things {
    key: strongroom::domain::id::KeyId,
    team: String,
    account: String,
    role: String,
    member: String,
    user: String,
    project: String,
    provider: String,
    federated: String,
}

impl Things {
    async fn make(house: &House) -> Self {
        let owner = house.by(house.owner).await;
        let members = house.engine.list_members(&owner).await.expect("lists");
        let key = house.key("app").await;
        house.secret("/app/db", &key, None).await;
        Self {
            key: key.spec.id,
            team: house.team("team", &[]).await.to_string(),
            account: house.service_account("account").await.to_string(),
            role: house.role("role", &[]).await.id.to_string(),
            member: members[0].member.id.to_string(),
            user: members[0].user.id.to_string(),
            project: house.project("project").await.id.to_string(),
            provider: ProviderId::new(house.ids.next()).to_string(),
            federated: FederatedIdentityId::new(house.ids.next()).to_string(),
        }
    }

    /// The object that the operation is done to.
    fn object(&self, action: Action) -> Option<String> {
        let name = action.as_str();
        let object = match name.split('.').nth(1)? {
            "team" | "team_member" => &self.team,
            "service_account" | "access_credential" => &self.account,
            "role" | "rule" | "binding" => &self.role,
            "member" => &self.member,
            "user" => &self.user,
            "project" => &self.project,
            "identity_provider" => &self.provider,
            "federated_identity" => &self.federated,
            _ => return None,
        };
        Some(object.clone())
    }
}

/// Whether a real call gets past the rules.
async fn call(house: &House, things: &Things, user: UserId, action: Action) -> bool {
    let engine = &house.engine;
    let session = house.by(user).await;
    let secrets = house.secrets(user, None).await.expect("a member");
    let at = || path("/app/db");
    let key = things.key.to_string();
    let Things { team, account, role, member, user, project, provider, federated, .. } = things;
    let (session, secrets) = (&session, &secrets);
    let outcome: Result<(), Error> = match action {
        Action::SecretCreate => engine.create(secrets, at()).await.map(drop),
        Action::SecretRead => engine.describe(secrets, at()).await.map(drop),
        Action::SecretList => engine.list(secrets, &Directory::root()).await.map(drop),
        Action::SecretValueRead => engine.reveal(secrets, at()).await.map(drop),
        Action::SecretValueWrite => engine.put(secrets, at()).await.map(drop),
        Action::SecretPolicyUpdate => engine.set_policy(secrets, at()).await.map(drop),
        Action::SecretMetadataUpdate => engine.patch(secrets, at()).await.map(drop),
        Action::SecretVersionDestroy => engine.destroy(secrets, at()).await.map(drop),
        Action::SecretDelete => engine.delete(secrets, at()).await.map(drop),
        Action::KmsCreate => engine.create_key(secrets).await.map(drop),
        Action::KmsRead => engine.key(secrets, &key).await.map(drop),
        Action::KmsList => engine.keys(secrets).await.map(drop),
        Action::KmsEncrypt => engine.encrypt(secrets, &key).await.map(drop),
        Action::KmsDecrypt => engine.decrypt(secrets, &key).await.map(drop),
        Action::KmsSign => engine.sign(secrets, &key).await.map(drop),
        Action::KmsVerify => engine.verify(secrets, &key).await.map(drop),
        Action::KmsHmac => engine.hmac(secrets, &key).await.map(drop),
        Action::KmsVerifyHmac => engine.verify_hmac(secrets, &key).await.map(drop),
        Action::KmsPublicKeyRead => engine.public_key(secrets, &key).await.map(drop),
        Action::KmsWrappingKeyRead => engine.wrapping_key(secrets).await.map(drop),
        Action::KmsExport => engine.export(secrets, &key).await.map(drop),
        Action::KmsRotate => engine.rotate(secrets, &key).await.map(drop),
        Action::KmsRotationUpdate => engine.set_rotation(secrets, &key).await.map(drop),
        Action::KmsDelete => engine.delete_key(secrets, &key).await.map(drop),
        Action::KmsCancelDeletion => engine.cancel_deletion(secrets, &key).await.map(drop),
        Action::KmsRewrap => engine.rewrap(secrets, &key).await.map(drop),
        Action::KmsInventoryRead => engine.inventory(secrets, &key).await.map(drop),
        Action::KmsRetire => engine.retire(secrets, &key).await.map(drop),
        Action::KmsEnable => engine.switch(secrets, &key, true).await.map(drop),
        Action::KmsDisable => engine.switch(secrets, &key, false).await.map(drop),
        Action::IamProjectCreate => engine.create_project(session).await.map(drop),
        Action::IamProjectList => engine.list_projects(session).await.map(drop),
        Action::IamProjectRead => engine.get_project(session, project).await.map(drop),
        Action::IamProjectUpdate => engine.update_project(session, project).await.map(drop),
        Action::IamProjectDelete => engine.delete_project(session, project).await.map(drop),
        Action::IamUserRead => engine.get_user(session, user).await.map(drop),
        Action::IamUserList => engine.list_users(session).await.map(drop),
        Action::IamMemberCreate => engine.add_member(session).await.map(drop),
        Action::IamMemberList => engine.list_members(session).await.map(drop),
        Action::IamMemberUpdate => engine.update_member(session, member).await.map(drop),
        Action::IamMemberDelete => engine.remove_member(session, member).await.map(drop),
        Action::IamTeamCreate => engine.create_team(session).await.map(drop),
        Action::IamTeamList => engine.list_teams(session).await.map(drop),
        Action::IamTeamRead => engine.get_team(session, team).await.map(drop),
        Action::IamTeamUpdate => engine.update_team(session, team).await.map(drop),
        Action::IamTeamDelete => engine.delete_team(session, team).await.map(drop),
        Action::IamTeamMemberCreate => engine.add_team_member(session, team).await.map(drop),
        Action::IamTeamMemberDelete => engine.remove_team_member(session, team, "x").await.map(drop),
        Action::IamServiceAccountCreate => engine.create_service_account(session).await.map(drop),
        Action::IamServiceAccountList => engine.list_service_accounts(session).await.map(drop),
        Action::IamServiceAccountRead => engine.get_service_account(session, account).await.map(drop),
        Action::IamServiceAccountUpdate => engine.update_service_account(session, account).await.map(drop),
        Action::IamServiceAccountDelete => engine.delete_service_account(session, account).await.map(drop),
        Action::IamAccessCredentialCreate => engine.create_access_credential(session, account).await.map(drop),
        Action::IamAccessCredentialList => engine.list_access_credentials(session, account).await.map(drop),
        Action::IamAccessCredentialDelete => engine.delete_access_credential(session, account, "x").await.map(drop),
        Action::IamRoleCreate => engine.create_role(session).await.map(drop),
        Action::IamRoleList => engine.list_roles(session).await.map(drop),
        Action::IamRoleRead => engine.get_role(session, role).await.map(drop),
        Action::IamRoleDelete => engine.delete_role(session, role).await.map(drop),
        Action::IamRuleCreate => engine.add_rule(session, role).await.map(drop),
        Action::IamRuleDelete => engine.delete_rule(session, role, "x").await.map(drop),
        Action::IamBindingCreate => engine.create_binding(session, role).await.map(drop),
        Action::IamBindingList => engine.list_bindings(session, role).await.map(drop),
        Action::IamBindingDelete => engine.delete_binding(session, role, "x").await.map(drop),
        Action::IamIdentityProviderCreate => engine.create_identity_provider(session).await.map(drop),
        Action::IamIdentityProviderList => engine.list_identity_providers(session).await.map(drop),
        Action::IamIdentityProviderRead => engine.get_identity_provider(session, provider).await.map(drop),
        Action::IamIdentityProviderUpdate => engine.update_identity_provider(session, provider).await.map(drop),
        Action::IamIdentityProviderDelete => engine.delete_identity_provider(session, provider).await.map(drop),
        Action::IamFederatedIdentityCreate => engine.create_federated_identity(session).await.map(drop),
        Action::IamFederatedIdentityList => engine.list_federated_identities(session).await.map(drop),
        Action::IamFederatedIdentityRead => engine.get_federated_identity(session, federated).await.map(drop),
        Action::IamFederatedIdentityUpdate => engine.update_federated_identity(session, federated).await.map(drop),
        Action::IamFederatedIdentityDelete => engine.delete_federated_identity(session, federated).await.map(drop),
        Action::AuditRead => engine.audit(session).await.map(drop),
        Action::AuditExport => engine.export_audit(session).await.map(drop),
        other => panic!("`{}` can be explained, but isn't called here", other.as_str()),
    };
    match outcome {
        Ok(()) => true,
        Err(error) => match error.code() {
            Code::Forbidden | Code::KeyNotFound => false,
            Code::ObjectNotFound => true,
            other => panic!("{}: {}", action.as_str(), other.as_str()),
        },
    }
}

/// What explaining says of it: whether rules let it pass.
async fn explains(house: &House, things: &Things, asker: UserId, of: UserId, operation: &Operation) -> bool {
    let action = operation.action();
    let key = action.as_str().starts_with("kms.").then_some(things.key);
    let path = action.as_str().starts_with("secret.").then(|| path("/app/db"));
    let asked = Supposed { path, key, object: things.object(action), ..super::of(of, supposed(action)) };
    let explained = house.explained(asker, asked).await;
    assert_eq!(explained.operation, action);
    let refused = !explained.allowed && explained.stage == Stage::Iam;
    assert!(refused || explained.allowed_by.is_some(), "{explained:?}");
    if refused {
        let needed = explained.needed.expect("says what is needed");
        assert_eq!((needed.resource, &needed.any_of[..]), (operation.resource(), operation.any_of()));
    }
    !refused
}

#[tokio::test]
async fn every_operation_is_decided_as_the_real_call() {
    let house = House::new().await;
    let things = Things::make(&house).await;
    for operation in Operation::all() {
        let (action, resource) = (operation.action(), operation.resource());
        let others: Vec<_> = Permission::ALL.iter().filter(|it| !operation.any_of().contains(it)).collect();
        let others: Vec<_> = others.iter().map(|it| it.as_str()).collect();
        let mut all_but: Vec<(&str, &[&str], &[&str])> = vec![(resource.as_str(), &[], &others)];
        let foreign = ResourceType::ALL.iter().filter(|kind| **kind != resource);
        all_but.extend(foreign.map(|kind| (kind.as_str(), &[][..], &["*"][..])));
        let denied = house.member_with(&format!("all but {}", action.as_str()), &all_but).await;
        assert!(!call(&house, &things, denied, action).await, "{} is allowed without its permission", action.as_str());
        for asker in [denied, house.owner] {
            assert!(!explains(&house, &things, asker, denied, operation).await, "{}", action.as_str());
        }
        for permission in operation.any_of() {
            let allowed = house
                .member_with(
                    &format!("just {} {permission}", action.as_str()),
                    &[(resource.as_str(), &[], &[permission.as_str()])],
                )
                .await;
            assert!(call(&house, &things, allowed, action).await, "{} is denied with its permission", action.as_str());
            for asker in [allowed, house.owner] {
                assert!(explains(&house, &things, asker, allowed, operation).await, "{}", action.as_str());
            }
        }
    }
}

#[test]
fn what_cannot_be_explained_is_known() {
    let explained: Vec<_> = Operation::all().iter().map(Operation::action).collect();
    let left_out = Action::ALL.iter().filter(|action| !explained.contains(action)).map(|action| action.as_str());
    let left_out: Vec<_> = left_out.filter(|name| !name.starts_with("auth.") && !name.starts_with("system.")).collect();
    // Nobody asks for what is due or too old, only owners make users, tokens are one's own, and everybody may ask.
    assert_eq!(
        left_out,
        [
            "kms.rotate.scheduled",
            "kms.purge",
            "iam.user.create",
            "iam.personal_token.create",
            "iam.personal_token.list",
            "iam.personal_token.delete",
            "iam.explain",
            "audit.retention"
        ]
    );
}
