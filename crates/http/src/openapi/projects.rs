//! Projects.

use super::operation::Operation;
use super::parameters::{NAMED, filters};
use serde_json::json;
use strongroom_api::{NewProject, Project};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/projects", "listProjects", "Lists projects")
            .about("Permission `list`; only what the caller may `read` appears.")
            .organisation()
            .parameters(filters(&NAMED))
            .gives_list::<Project>("The projects."),
        Operation::new("POST /v1/projects", "createProject", "Creates a project")
            .about("Permission `create`.")
            .organisation()
            .takes::<NewProject>(json!({"name": "Web shop"}))
            .gives::<Project>(201, "The project.")
            .refuses(&[404, 409]),
        Operation::new("GET /v1/projects/{id}", "getProject", "Shows a project")
            .about("Permission `read`.")
            .organisation()
            .gives::<Project>(200, "The project."),
        Operation::new("PUT /v1/projects/{id}", "updateProject", "Changes a project")
            .about("What isn't given but the name stays, and so does the slug. Permission `update`.")
            .organisation()
            .takes::<NewProject>(json!({"name": "Web shop", "description": "of the shop"}))
            .gives::<Project>(200, "The project."),
        Operation::new("DELETE /v1/projects/{id}", "deleteProject", "Deletes an empty project")
            .about("Permission `delete`.")
            .organisation()
            .takes_nothing()
            .gives_nothing(204, "It is gone."),
    ]
}
