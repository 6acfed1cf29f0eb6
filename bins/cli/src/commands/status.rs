use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Cell, Look, Table};
use crate::settings::{Found, Login, Settings};
use clap::Args;
use serde_json::{Value, json};
use strongroom_api::Me;

/// Show which server is spoken to, as whom, where that is set, and whether it works
#[derive(Args)]
pub(crate) struct StatusArgs {}

pub(crate) async fn run(_args: StatusArgs, context: &Context) -> Result<(), Failure> {
    let file = context.config_file()?;
    let settings = context.settings()?;
    let tried = match context.client() {
        Ok(client) => client.me().get().await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    let config = file.path.display().to_string();
    if context.terminal.json {
        output::json(context.terminal, &document(settings, &config, tried.as_ref().ok()))?;
    } else {
        output::rows(context.terminal, &table(settings, &config, tried.as_ref().ok()))?;
    }
    // What is set is shown in any case; that it doesn't work is how the command ends.
    tried.map(drop)
}

const fn kind(login: &Login) -> &'static str {
    match login {
        Login::Token(_) => "token",
        Login::AccessKey { .. } => "access key",
        Login::Exchange { .. } => "token exchange",
    }
}

fn rows(settings: &Settings) -> [(&'static str, &'static str, Option<&Found>); 5] {
    [
        ("address", "address", settings.address.as_ref()),
        ("organisation", "organisation", settings.organisation.as_ref()),
        ("project", "project", settings.project.as_ref()),
        ("region", "region", settings.region.as_ref()),
        ("KMS key", "kmsKey", settings.kms_key.as_ref()),
    ]
}

fn table(settings: &Settings, config: &str, me: Option<&Me>) -> Table {
    let mut fields: Vec<(&'static str, Cell)> =
        vec![("configuration", config.into()), ("profile", settings.profile.as_str().into())];
    for (name, _, found) in rows(settings) {
        if let Some(found) = found {
            fields.push((name, format!("{} (from {})", found.value, found.source).into()));
        }
    }
    let credentials = match &settings.login {
        Some(found) => format!("{} (from {})", kind(&found.value), found.source).into(),
        None => Cell::new(settings.login_left_aside.as_deref().unwrap_or("none"), Look::Bad),
    };
    fields.push(("credentials", credentials));
    if let Some(me) = me {
        let name = if me.name.is_empty() { String::new() } else { format!(" {}", me.name) };
        fields.push(("you are", format!("{} {}{name}", me.kind, me.identity).into()));
        fields.push(("scopes", me.scopes.join(" ").into()));
        for organisation in &me.organisations {
            let text = format!("{} ({}), {}", organisation.slug, organisation.identity, organisation.role);
            fields.push(("member of", text.into()));
        }
    }
    let works = if me.is_some() { Cell::new("yes", Look::Good) } else { Cell::new("no", Look::Bad) };
    fields.push(("works", works));
    Table::of_fields(fields)
}

fn document(settings: &Settings, config: &str, me: Option<&Me>) -> Value {
    let mut document = json!({"config": config, "profile": settings.profile, "works": me.is_some(), "me": me});
    for (_, name, found) in rows(settings) {
        document[name] = found.map(|found| json!({"value": found.value, "source": found.source})).into();
    }
    let login = settings.login.as_ref();
    document["credentials"] = login.map(|found| json!({"kind": kind(&found.value), "source": found.source})).into();
    document
}
