use super::fields::{named, put_named};
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::directory::Project;
use strongroom_domain::id::{OrganisationId, ProjectId};

pub(super) fn put(to: &mut Encoder, project: &Project) {
    to.id(project.id.uuid()).id(project.organisation.uuid());
    put_named(to, &project.named);
    to.optional(project.parent, |to, parent| {
        to.id(parent.uuid());
    });
}

pub(super) fn read(from: &mut Decoder<'_>) -> Result<Project, DecodeError> {
    Ok(Project {
        id: ProjectId::new(from.id()?),
        organisation: OrganisationId::new(from.id()?),
        named: named(from)?,
        parent: from.optional(|from| from.id().map(ProjectId::new))?,
    })
}
