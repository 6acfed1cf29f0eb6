use super::path;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Cell, Look, Table};
use clap::Args;
use core::time::Duration;
use strongroom_api::{BoundRole, Explain, Explanation};

/// How often a request is looked for: it is in the log about a second after it was answered.
const TRIES: u32 = 4;

/// What lies between.
const PAUSE: Duration = Duration::from_millis(500);

/// Tell why something is allowed or denied, and what would have to change
///
/// Either of a call that was denied, by the id that its failure named; or of what somebody might do. Everybody may ask about themselves.
#[derive(Args)]
pub(crate) struct ExplainArgs {
    /// The id of a request that was denied; or name an --operation
    #[arg(value_name = "REQUEST", required_unless_present = "operation", conflicts_with_all = ["operation", "principal", "path",
        "key", "identity", "ip", "at"])]
    request: Option<String>,
    /// What is done, as the audit log calls it, such as secret.value.read or kms.decrypt
    #[arg(long, short, value_name = "ACTION")]
    operation: Option<String>,
    /// Who does it: a user or service account, by identity [default: you]
    #[arg(long, value_name = "IDENTITY")]
    principal: Option<String>,
    /// To this secret
    #[arg(long, value_name = "PATH", value_parser = path::secret)]
    path: Option<String>,
    /// With this KMS key, by slug or identity
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// To this object of IAM, by identity
    #[arg(long, value_name = "IDENTITY")]
    identity: Option<String>,
    /// From this address, for access policies [default: yours]
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<core::net::IpAddr>,
    /// At this time, as 2026-01-31T18:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

pub(crate) async fn run(args: ExplainArgs, context: &Context) -> Result<(), Failure> {
    let explanation = match args.request {
        Some(request) => of_request(context, request).await?,
        None => {
            let question = question(args, context).await?;
            context.client()?.iam().explain(&question).await?
        }
    };
    output::show(context.terminal, &explanation, || table(&explanation))
}

async fn of_request(context: &Context, request: String) -> Result<Explanation, Failure> {
    let iam = context.client()?.iam();
    let question = Explain { request_id: Some(request), ..Explain::default() };
    for _ in 1..TRIES {
        match iam.explain(&question).await {
            Err(error) if error.is_not_found() => tokio::time::sleep(PAUSE).await,
            told => return Ok(told?),
        }
    }
    iam.explain(&question).await.map_err(|error| {
        let is_missing = error.is_not_found();
        let failure = Failure::from(error);
        if is_missing { failure.hint("is it the id of a call of yours that was denied?") } else { failure }
    })
}

async fn question(args: ExplainArgs, context: &Context) -> Result<Explain, Failure> {
    let operation = args.operation.unwrap_or_default();
    let is_regional = operation.starts_with("secret.") || operation.starts_with("kms.");
    let kms_key_identity = match args.key {
        Some(key) => Some(identity_of(context, key).await?),
        None => None,
    };
    Ok(Explain {
        principal: args.principal,
        path: args.path,
        kms_key_identity,
        identity: args.identity,
        region: if is_regional { Some(context.region().await?.to_owned()) } else { None },
        project: if is_regional { project(context)? } else { None },
        source_address: args.ip.map(|ip| ip.to_string()),
        at: args.at,
        operation: Some(operation),
        request_id: None,
    })
}

pub(super) fn project(context: &Context) -> Result<Option<String>, Failure> {
    Ok(context.settings()?.project.as_ref().map(|found| found.value.clone()))
}

/// The identity of a key. One that the caller may not read goes as it was named.
async fn identity_of(context: &Context, key: String) -> Result<String, Failure> {
    match context.client()?.kms(context.region().await?).keys().get(&key).await {
        Ok(found) => Ok(found.identity),
        Err(error) if error.is_not_found() => Ok(key),
        Err(error) => Err(error.into()),
    }
}

/// An explanation, a line for each thing that it tells.
pub(super) fn table(told: &Explanation) -> Table {
    let allowed = if told.allowed { Cell::new("yes", Look::Good) } else { Cell::new("no", Look::Bad) };
    let mut fields: Vec<(&'static str, Cell)> = vec![
        ("principal", told.principal.as_str().into()),
        ("operation", told.operation.as_str().into()),
        ("allowed", allowed),
        ("decided by", stage(&told.stage).into()),
        ("why", told.message.as_str().into()),
    ];
    let mut add = |name: &'static str, text: Option<&str>| {
        fields.extend(text.map(|text| (name, Cell::from(text))));
    };
    add("what to do", told.remedy.as_deref());
    add("policy entry", told.policy_entry.as_deref());
    add("gate", told.gate.as_deref());
    if let Some(rule) = &told.rule {
        let by = match &rule.bound {
            Some(bound) => format!("{}, {}", rule.identity, of_role(bound)),
            None if rule.owner => "owners may do everything".to_owned(),
            None => rule.identity.clone(),
        };
        add("rule", Some(&by));
    }
    for miss in &told.near_misses {
        add("nearly", Some(&format!("{} ({})", miss.message, of_role(&miss.bound))));
    }
    if let Some(call) = &told.denied_call {
        let by = call.decided_by.as_deref().map(|by| format!(", decided by {by}")).unwrap_or_default();
        add("request", Some(&format!("{} at {}{by}", call.request_id, call.at)));
    }
    add("not looked at", told.unchecked.as_deref());
    Table::of_fields(fields)
}

fn of_role(bound: &BoundRole) -> String {
    let team = bound.team.as_ref().map(|team| format!(" through the team {}", team.name)).unwrap_or_default();
    format!("role {}, bound by {}{team}", bound.role.name, bound.binding.name)
}

fn stage(stage: &str) -> &str {
    match stage {
        "iam" => "rules",
        "accessPolicy" => "the secret's access policy",
        "keyPermission" => "permission on the KMS key",
        "keyState" => "the state of the KMS key",
        "existence" => "what is there",
        other => other,
    }
}
