use super::named::{DeleteArgs, Described, GetArgs, LsArgs};
use super::objects;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_api::NewProject;
use strongroom_client::Projects;

#[derive(Subcommand)]
pub(super) enum ProjectsCommand {
    /// List projects
    Ls(LsArgs),
    /// Show a project
    Get(GetArgs),
    /// Make a project
    Create(CreateArgs),
    /// Change a project
    Update(UpdateArgs),
    /// Delete a project that holds nothing any more
    Delete(DeleteArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    more: More,
}

#[derive(Args)]
pub(super) struct UpdateArgs {
    /// Which one, by slug or identity
    #[arg(value_name = "NAME")]
    name: String,
    /// What it is called from now on
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    more: More,
}

#[derive(Args)]
struct More {
    /// The project that it is in, by slug or identity; an empty text puts it at the top
    #[arg(long, value_name = "PROJECT")]
    parent: Option<String>,
    #[command(flatten)]
    described: Described,
}

impl More {
    async fn into_body(self, name: String, projects: &Projects) -> Result<NewProject, Failure> {
        // Bodies take identities only.
        let parent_project_identity = match self.parent {
            Some(parent) if parent.is_empty() => Some(parent),
            Some(parent) => Some(projects.get(&parent).await?.named.identity),
            None => None,
        };
        let (labels, annotations) = (self.described.labels(), self.described.annotations());
        Ok(NewProject { name, description: self.described.description, labels, annotations, parent_project_identity })
    }
}

pub(super) async fn run(command: ProjectsCommand, context: &Context) -> Result<(), Failure> {
    let projects = context.client()?.projects();
    match command {
        ProjectsCommand::Ls(args) => {
            let columns = [("SLUG", "/slug"), ("NAME", "/name"), ("IDENTITY", "/identity"), ("IN", "/parentProject")];
            objects::list(context, &projects.list(&args.into()).await?, columns)
        }
        ProjectsCommand::Get(args) => objects::show(context, &projects.get(&args.name).await?),
        ProjectsCommand::Create(args) => {
            let project = args.more.into_body(args.name, &projects).await?;
            objects::show(context, &projects.create(&project).await?)
        }
        ProjectsCommand::Update(args) => update(args, &projects, context).await,
        ProjectsCommand::Delete(args) => {
            objects::delete(context, "project", &args.name, args.yes, projects.delete(&args.name)).await
        }
    }
}

async fn update(args: UpdateArgs, projects: &Projects, context: &Context) -> Result<(), Failure> {
    // The call wants a name in any case.
    let name = match args.rename {
        Some(name) => name,
        None => projects.get(&args.name).await?.named.name,
    };
    let change = args.more.into_body(name, projects).await?;
    objects::show(context, &projects.update(&args.name, &change).await?)
}
