use super::{identity, named};
use crate::convert;
use crate::failure::Failure;
use strongroom::iam::NamedPatch;
use strongroom::iam::projects::{NewProject, Parent, ProjectUpdate, ProjectView};
use strongroom_api::{ParentProject, Project};

pub(crate) fn project(view: &ProjectView) -> Project {
    Project {
        named: named(view.project.id, &view.project.named),
        parent_project: view.parent.as_ref().map(|parent| ParentProject {
            identity: parent.id.to_string(),
            name: parent.named.name.clone(),
            slug: parent.named.slug.clone(),
        }),
    }
}

pub(crate) fn new_project(request: strongroom_api::NewProject) -> Result<NewProject, Failure> {
    let parent = match parent(request.parent_project_identity.as_deref())? {
        Parent::Below(parent) => Some(parent),
        Parent::Same | Parent::None => None,
    };
    let metadata = convert::metadata(request.description, request.labels, request.annotations)?;
    Ok(NewProject { name: request.name, metadata, parent })
}

pub(crate) fn project_update(request: strongroom_api::NewProject) -> Result<ProjectUpdate, Failure> {
    let parent = parent(request.parent_project_identity.as_deref())?;
    let strongroom_api::NewProject { name, description, labels, annotations, .. } = request;
    Ok(ProjectUpdate { named: NamedPatch { name: Some(name), description, labels, annotations }, parent })
}

fn parent(field: Option<&str>) -> Result<Parent, Failure> {
    match field {
        None => Ok(Parent::Same),
        Some("") => Ok(Parent::None),
        Some(text) => identity("parentProjectIdentity", text).map(Parent::Below),
    }
}
