//! What the operator does: organisations, regions, the server's own keys.

use super::answers::Header::NoStore;
use super::operation::Operation;
use super::parameters::{NAMED, filters};
use serde_json::json;
use strongroom_api::audit::AuditKey;
use strongroom_api::{
    CreatedOrganisation, NewOrganisation, NewOrganisationMember, NewRegion, OrganisationMember, PatchOrganisation,
    RootKeyRotation, RootKeyStatus, RotateRootKey, SetGates, SigningKey, SystemOrganisation, SystemRegion,
    UpdateRegion,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/system/organisations", "listOrganisations", "Lists organisations")
            .operator()
            .parameters(filters(&NAMED))
            .gives_list::<SystemOrganisation>("The organisations."),
        Operation::new("POST /v1/system/organisations", "createOrganisation", "Creates an organisation with its owner")
            .about("Exactly one of `owner` and `ownerIdentity` is given.")
            .operator()
            .takes::<NewOrganisation>(json!({"name": "Shop", "owner": {"name": "Ada", "email": "ada@example.com"}}))
            .gives::<CreatedOrganisation>(201, "The organisation, and the first token of an owner who is new.")
            .with(201, &[NoStore])
            .refuses(&[404, 409]),
        Operation::new("GET /v1/system/organisations/{id}", "getOrganisation", "Shows an organisation")
            .operator()
            .gives::<SystemOrganisation>(200, "The organisation."),
        Operation::new("PATCH /v1/system/organisations/{id}", "updateOrganisation", "Changes an organisation")
            .about("A merge patch (RFC 7396): null removes.")
            .operator()
            .takes_patch::<PatchOrganisation>(json!({"description": "the web shop"}))
            .gives::<SystemOrganisation>(200, "The organisation."),
        Operation::new("PUT /v1/system/organisations/{id}/gates", "setGates", "Says what an organisation may use")
            .about("What isn't given stays.")
            .operator()
            .takes::<SetGates>(json!({"projects": false}))
            .gives::<SystemOrganisation>(200, "The organisation."),
        Operation::new("POST /v1/system/organisations/{id}/members", "admitMember", "Makes any user a member")
            .operator()
            .takes::<NewOrganisationMember>(json!({"userIdentity": "u-01"}))
            .gives::<OrganisationMember>(201, "The membership.")
            .refuses(&[409]),
        Operation::new("GET /v1/system/regions", "listSystemRegions", "Lists regions, as the operator sees them")
            .operator()
            .parameters(filters(&["FilterIdentity", "FilterName", "FilterSlug"]))
            .gives_list::<SystemRegion>("The regions."),
        Operation::new("POST /v1/system/regions", "createRegion", "Creates a region")
            .operator()
            .takes::<NewRegion>(json!({"name": "Amsterdam", "slug": "nl-02"}))
            .gives::<SystemRegion>(201, "The region.")
            .refuses(&[409]),
        Operation::new("PUT /v1/system/regions/{id}", "updateRegion", "Changes a region")
            .about("What isn't given stays.")
            .operator()
            .takes::<UpdateRegion>(json!({"kmsEnabled": true}))
            .gives::<SystemRegion>(200, "The region."),
    ]
}

pub(super) fn keys() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/system/root-key", "getRootKey", "Shows the names of root keys")
            .operator()
            .takes_nothing()
            .gives::<RootKeyStatus>(200, "The store's root key, and the newest that the server was given."),
        Operation::new("POST /v1/system/root-key/rotate", "rotateRootKey", "Seals keys anew under the newest root key")
            .about("Call until `remaining` is false.")
            .operator()
            .may_take::<RotateRootKey>(json!({"limit": 500}))
            .gives::<RootKeyRotation>(200, "How far it came."),
        Operation::new("POST /v1/system/signing-keys/rotate", "rotateSigningKey", "Signs access tokens with a new key")
            .operator()
            .takes_nothing()
            .gives::<SigningKey>(200, "The key."),
        Operation::new("GET /v1/system/audit-keys", "listAuditKeys", "Lists the keys that sign the audit log")
            .operator()
            .takes_nothing()
            .gives_list::<AuditKey>("The keys."),
        Operation::new("POST /v1/system/audit-keys", "createAuditKey", "Makes a new key to sign the audit log with")
            .about("The next checkpoint makes it known.")
            .operator()
            .takes_nothing()
            .gives::<AuditKey>(201, "The key."),
    ]
}
