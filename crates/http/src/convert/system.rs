//! What the operator sees and changes.

use super::iam;
use crate::failure::Failure;
use strongroom::iam::users::NewUser;
use strongroom::system::{CreatedOrganisation, FirstOwner, NewOrganisation, RegionView};
use strongroom_api::{Encoded, Gates, NamedFields, SystemOrganisation, SystemRegion};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use zeroize::Zeroizing;

pub(crate) fn system_organisation(organisation: &Organisation) -> SystemOrganisation {
    let gates = organisation.gates;
    SystemOrganisation {
        named: NamedFields {
            identity: organisation.id.to_string(),
            name: organisation.name.clone(),
            slug: organisation.slug.clone(),
            description: organisation.metadata.description().to_owned(),
            labels: organisation.metadata.labels().clone(),
            annotations: organisation.metadata.annotations().clone(),
            created_at: organisation.created_at.to_rfc3339(),
            updated_at: organisation.updated_at.map(Timestamp::to_rfc3339),
            object_version: organisation.object_version,
        },
        gates: Gates { secrets: gates.secrets, kms: gates.kms, projects: gates.projects },
    }
}

pub(crate) fn new_organisation(request: strongroom_api::NewOrganisation) -> Result<NewOrganisation, Failure> {
    let owner = match (request.owner, request.owner_identity.filter(|text| !text.is_empty())) {
        (Some(owner), None) => FirstOwner::New(NewUser { name: owner.name, email: owner.email.unwrap_or_default() }),
        (None, Some(owner)) => FirstOwner::Known(iam::identity("ownerIdentity", &owner)?),
        _ => {
            return Err(Failure::invalid(
                "Give exactly one of `owner` (a new user's `name` and `email`) and `ownerIdentity` (of a known user).",
            ));
        }
    };
    let slug = request.slug.filter(|slug| !slug.is_empty());
    Ok(NewOrganisation { name: request.name, slug, owner })
}

pub(crate) fn created_organisation(
    created: &CreatedOrganisation,
) -> Result<strongroom_api::CreatedOrganisation, Failure> {
    let token = match &created.token {
        Some(token) => {
            let text = core::str::from_utf8(token.expose()).map_err(|_| Failure::internal())?;
            Some(Encoded::new(Zeroizing::new(text.to_owned())))
        }
        None => None,
    };
    Ok(strongroom_api::CreatedOrganisation {
        organisation: system_organisation(&created.organisation),
        owner: iam::user(&created.owner),
        token,
    })
}

pub(crate) fn system_region(view: &RegionView) -> SystemRegion {
    SystemRegion {
        region: super::region(&view.region),
        kms_enabled: view.region.kms_enabled,
        kms_available: view.kms_available,
    }
}
