use super::{expiry, identity};
use crate::failure::Failure;
use crate::json::quoted;
use strongroom::iam::explain::{BoundBy, Explain, Explained, NearRule, Source, Supposed};
use strongroom::{Code, Error};
use strongroom_api::{BoundRole, DeniedCall, ExplainedRule, Explanation, IdentityAndName, NearMiss, NeededRule};
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Difference;
use strongroom_domain::principal::Principal;

/// The question; what is null or empty isn't given.
pub(crate) fn explain(request: strongroom_api::Explain) -> Result<Explain, Failure> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let strongroom_api::Explain { request_id, operation, .. } = &request;
    if let Some(id) = given(request_id.clone()) {
        if request != (strongroom_api::Explain { request_id: Some(id.clone()), ..Default::default() }) {
            return Err(Failure::invalid("Give `requestId` alone, or describe a call without it."));
        }
        return Ok(Explain::Request(id));
    }
    let operation = given(operation.clone()).ok_or_else(|| {
        Failure::invalid(
            "Give `requestId`, or `operation`: what is done, as the audit log calls it, such as `secret.value.read`.",
        )
    })?;
    let Some(operation) = Action::from_name(&operation) else {
        return Err(Failure::invalid(format!("`operation`: {} is no action of the audit log.", quoted(&operation))));
    };
    let principal = given(request.principal).map(|text| principal(&text)).transpose()?;
    let key = given(request.kms_key_identity).map(|text| identity("kmsKeyIdentity", &text)).transpose()?;
    let path = given(request.path).map(|text| text.parse()).transpose()?;
    let client = given(request.source_address)
        .map(|text| text.parse::<core::net::IpAddr>().map(|address| address.to_canonical()))
        .transpose()
        .map_err(|_| Failure::invalid("`sourceAddress` is an IP address, without a port."))?;
    Ok(Explain::Call(Supposed {
        principal,
        operation,
        path,
        key,
        object: given(request.identity),
        region: given(request.region),
        project: given(request.project),
        client,
        at: expiry("at", request.at)?.map(|time| time.at),
    }))
}

fn principal(text: &str) -> Result<Principal, Failure> {
    let user = text.parse().map(Principal::User);
    user.or_else(|_| text.parse().map(Principal::ServiceAccount)).map_err(|_| {
        let message = "`principal` names nobody here; it wants the identity of a user or a service account.";
        Error::new(Code::ObjectNotFound, message).into()
    })
}

pub(crate) fn explanation(explained: Explained) -> Explanation {
    let needed = explained.needed.map(|denial| NeededRule {
        resource: denial.resource.to_string(),
        any_of: denial.any_of.iter().map(ToString::to_string).collect(),
        resource_identity: denial.identity,
    });
    let rule = explained.allowed_by.map(|by| ExplainedRule {
        identity: by.rule.to_string(),
        owner: matches!(by.source, Source::Owner(_)),
        bound: match by.source {
            Source::Bound(bound) => Some(bound_role(bound)),
            Source::Owner(_) | Source::Given => None,
        },
    });
    Explanation {
        principal: explained.principal.to_string(),
        operation: explained.operation.as_str().to_owned(),
        allowed: explained.allowed,
        stage: explained.stage.as_str().to_owned(),
        message: explained.message,
        remedy: explained.remedy,
        unchecked: explained.unchecked,
        rule,
        needed,
        near_misses: explained.near.into_iter().map(near_miss).collect(),
        policy_entry: explained.policy_entry,
        gate: explained.gate,
        denied_call: explained.logged.map(|logged| DeniedCall {
            request_id: logged.request.to_string(),
            at: logged.at.to_rfc3339(),
            decided_by: logged.decided_by,
        }),
    }
}

fn bound_role(by: BoundBy) -> BoundRole {
    let pair = |identity: String, name: String| IdentityAndName { identity, name };
    BoundRole {
        role: pair(by.role.0.to_string(), by.role.1),
        binding: pair(by.binding.0.to_string(), by.binding.1),
        team: by.team.map(|(team, name)| pair(team.to_string(), name)),
    }
}

fn near_miss(near: NearRule) -> NearMiss {
    let message = near.miss.to_string();
    let (differs_in, has) = match near.miss.difference {
        Difference::Projects(has) => ("projects", has),
        Difference::Permissions(has) => ("permissions", has),
        Difference::Identities(has) => ("resourceIdentities", has),
    };
    NearMiss {
        rule: near.miss.rule.to_string(),
        bound: bound_role(near.by),
        differs_in: differs_in.to_owned(),
        has,
        message,
    }
}
