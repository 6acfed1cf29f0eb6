//! Use cases of the operator, who runs the installation: one file each. They belong to no organisation and see no secrets.

mod admit_member;
mod create_organisation;
mod create_region;
mod enter;
mod get_organisation;
mod list_organisations;
mod list_regions;
mod root_key;
mod set_gates;
mod update_organisation;
mod update_region;

pub use create_organisation::{CreatedOrganisation, FirstOwner, NewOrganisation};
pub use create_region::NewRegion;
pub(crate) use enter::Operation;
pub use enter::OperatorSession;
pub use list_regions::RegionView;
pub(crate) use root_key::Progress as RootKeyProgress;
pub use root_key::{MAX_RESEALED_AT_ONCE, RootKeyRotation, RootKeyStatus, RotateRootKey};
pub use set_gates::GateChanges;
pub use update_organisation::OrganisationPatch;
pub use update_region::RegionChanges;

use crate::error::{Code, Error};
use strongroom_domain::audit::{Resource, ResourceKind};
use strongroom_domain::metadata::{MAX_SLUG_LEN, slug_of};
use strongroom_domain::tenancy::{Organisation, Region};

/// What the log says of an organisation.
fn organisation_resource(organisation: &Organisation) -> Resource {
    Resource {
        kind: ResourceKind::Organisation,
        identity: organisation.id.to_string(),
        id: Some(organisation.id.uuid()),
        version: None,
    }
}

/// What the log says of a region.
fn region_resource(region: &Region) -> Resource {
    Resource { kind: ResourceKind::Region, identity: region.id.to_string(), id: Some(region.id.uuid()), version: None }
}

/// The slug that is asked for, or the one of the name.
fn slug(wanted: Option<String>, name: &str) -> Result<String, Error> {
    match wanted {
        None => Ok(slug_of(name)),
        Some(slug) if slug == slug_of(&slug) => Ok(slug),
        Some(_) => Err(Error::new(
            Code::InvalidRequest,
            format!(
                "`slug`: 1 to {MAX_SLUG_LEN} characters a-z 0-9, with single hyphens between them; leave it out to have one made from the name."
            ),
        )),
    }
}

fn slug_taken(what: &str, slug: &str) -> Error {
    Error::new(Code::ObjectExists, format!("The slug `{slug}` is taken by another {what}; choose another one."))
}
