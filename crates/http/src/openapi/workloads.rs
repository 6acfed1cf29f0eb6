//! Service accounts, their credentials, and identities of other issuers.

use super::answers::Header::NoStore;
use super::operation::Operation;
use super::parameters::{NAMED, filters};
use serde_json::json;
use strongroom_api::{
    AccessCredential, CreatedAccessCredential, FederatedIdentity, IdentityProvider, NewAccessCredential,
    NewFederatedIdentity, NewIdentityProvider, NewNamed, ServiceAccount, UpdateFederatedIdentity,
    UpdateIdentityProvider, UpdateNamed,
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = accounts();
    all.extend(providers());
    all.extend(identities());
    all
}

fn accounts() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/service-accounts", "listServiceAccounts", "Lists service accounts")
            .about("Permission `list` on `service_account`.")
            .organisation()
            .parameters(filters(&NAMED))
            .gives_list::<ServiceAccount>("The service accounts."),
        Operation::new("POST /v1/service-accounts", "createServiceAccount", "Creates a service account")
            .about("Permission `create` on `service_account`.")
            .organisation()
            .takes::<NewNamed>(json!({"name": "deployer"}))
            .gives::<ServiceAccount>(201, "The service account."),
        Operation::new("GET /v1/service-accounts/{id}", "getServiceAccount", "Shows a service account")
            .about("Permission `read` on `service_account`.")
            .organisation()
            .gives::<ServiceAccount>(200, "The service account."),
        Operation::new("PUT /v1/service-accounts/{id}", "updateServiceAccount", "Changes a service account")
            .about("What isn't given stays, and so does the slug. Permission `update` on `service_account`.")
            .organisation()
            .takes::<UpdateNamed>(json!({"description": "of the pipeline"}))
            .gives::<ServiceAccount>(200, "The service account."),
        Operation::new("DELETE /v1/service-accounts/{id}", "deleteServiceAccount", "Deletes a service account")
            .about(
                "Its credentials, federated identities and bindings go too. Permission `delete` on `service_account`.",
            )
            .organisation()
            .takes_nothing()
            .gives_nothing(204, "It is gone."),
        Operation::new(
            "GET /v1/service-accounts/{id}/access-credentials",
            "listAccessCredentials",
            "Lists access credentials",
        )
        .about("Permission `update` on `service_account`.")
        .organisation()
        .parameters(filters(&["FilterIdentity", "FilterName"]))
        .gives_list::<AccessCredential>("The credentials, without their secrets."),
        Operation::new(
            "POST /v1/service-accounts/{id}/access-credentials",
            "createAccessCredential",
            "Makes an access credential",
        )
        .about("Nobody gives what they lack. Permission `update` on `service_account`.")
        .organisation()
        .takes::<NewAccessCredential>(
            json!({"name": "pipeline", "scopes": ["api:read"], "expiresAt": "2031-01-01T00:00:00Z"}),
        )
        .gives::<CreatedAccessCredential>(201, "The credential with its secret, which is never shown again.")
        .with(201, &[NoStore]),
        Operation::new(
            "DELETE /v1/service-accounts/{id}/access-credentials/{part}",
            "deleteAccessCredential",
            "Deletes an access credential",
        )
        .about("Its tokens open nothing any more either. Permission `update` on `service_account`.")
        .organisation()
        .takes_nothing()
        .gives_nothing(204, "It opens nothing any more."),
    ]
}

fn providers() -> Vec<Operation> {
    vec![
        Operation::new(
            "GET /v1/federated-identity-providers",
            "listIdentityProviders",
            "Lists issuers whose tokens can be exchanged",
        )
        .about("Permission `list` on `federated_identity_provider`.")
        .organisation()
        .parameters(filters(&["FilterIdentity", "FilterName", "FilterStatus", "FilterLabels"]))
        .gives_list::<IdentityProvider>("The providers."),
        Operation::new("POST /v1/federated-identity-providers", "createIdentityProvider", "Adds an issuer")
            .about("Permission `create` on `federated_identity_provider`.")
            .organisation()
            .takes::<NewIdentityProvider>(json!({"name": "CI", "providerIssuer": "https://ci.example.com"}))
            .gives::<IdentityProvider>(201, "The provider.")
            .refuses(&[409]),
        Operation::new("GET /v1/federated-identity-providers/{id}", "getIdentityProvider", "Shows an issuer")
            .about("Permission `read` on `federated_identity_provider`.")
            .organisation()
            .gives::<IdentityProvider>(200, "The provider."),
        Operation::new("PUT /v1/federated-identity-providers/{id}", "updateIdentityProvider", "Changes an issuer")
            .about("What is left out stays. Permission `update` on `federated_identity_provider`.")
            .organisation()
            .takes::<UpdateIdentityProvider>(json!({"status": "inactive"}))
            .gives::<IdentityProvider>(200, "The provider."),
        Operation::new("DELETE /v1/federated-identity-providers/{id}", "deleteIdentityProvider", "Deletes an issuer")
            .about("Its federated identities go too. Permission `delete` on `federated_identity_provider`.")
            .organisation()
            .takes_nothing()
            .gives_nothing(204, "It is gone."),
    ]
}

fn identities() -> Vec<Operation> {
    let all = filters(&["FilterIdentity", "FilterName", "FilterSlug", "FilterStatus", "FilterLabels"]);
    vec![
        Operation::new(
            "GET /v1/federated-identities",
            "listFederatedIdentities",
            "Lists who may exchange tokens for a service account's",
        )
        .about("Permission `list` on `federated_identity`.")
        .organisation()
        .parameters(all)
        .gives_list::<FederatedIdentity>("The federated identities."),
        Operation::new(
            "POST /v1/federated-identities",
            "createFederatedIdentity",
            "Lets a subject of an issuer act as a service account",
        )
        .about("Nobody gives what they lack. Permission `create` on `federated_identity`.")
        .organisation()
        .takes::<NewFederatedIdentity>(json!({
            "name": "pipeline", "serviceAccountIdentity": "sa-01", "providerIdentity": "fip-01",
            "providerSubject": "repo:shop/*", "trustedAudiences": ["strongroom"],
        }))
        .gives::<FederatedIdentity>(201, "The federated identity.")
        .refuses(&[404]),
        Operation::new("GET /v1/federated-identities/{id}", "getFederatedIdentity", "Shows a federated identity")
            .about("Permission `read` on `federated_identity`.")
            .organisation()
            .gives::<FederatedIdentity>(200, "The federated identity."),
        Operation::new("PUT /v1/federated-identities/{id}", "updateFederatedIdentity", "Changes a federated identity")
            .about("What is left out stays. Permission `update` on `federated_identity`.")
            .organisation()
            .takes::<UpdateFederatedIdentity>(json!({"status": "revoked"}))
            .gives::<FederatedIdentity>(200, "The federated identity."),
        Operation::new(
            "DELETE /v1/federated-identities/{id}",
            "deleteFederatedIdentity",
            "Deletes a federated identity",
        )
        .about("The tokens that it gave open nothing any more. Permission `delete` on `federated_identity`.")
        .organisation()
        .takes_nothing()
        .gives_nothing(204, "It is gone."),
    ]
}
