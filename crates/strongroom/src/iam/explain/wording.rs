//! The answer in sentences.

use super::case::Case;
use super::decide::Decision;
use super::operations::Guard;
use super::view::{AllowedBy, BoundBy, Explained, Logged, NearRule, Source};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::iam::Denial;
use strongroom_domain::id::{MemberId, RuleId};

/// Refusals that rest on what a call brings along, which isn't looked at here.
const OF_THE_CALL: [&str; 4] = ["insufficient_scope", "organisation_denied", "project_denied", "rate_limited"];

impl Engine {
    pub(super) async fn put_in_words(
        &self,
        asker: &OrganisationSession,
        case: Case,
        decision: Decision,
    ) -> Result<Explained, Error> {
        let allowed_by = match decision.rule {
            Some(rule) => Some(AllowedBy { rule, source: self.source(asker, &decision, rule).await? }),
            None => None,
        };
        let (mut reason, mut remedy, mut gate, mut denial) = (None, None, None, None);
        if let Some(refusal) = decision.refusal {
            remedy = refusal.remedy;
            if let Some(needed) = &refusal.denial {
                remedy = Some(wanted_rule(needed, &case));
            }
            (reason, gate, denial) = (Some(refusal.reason), refusal.gate, refusal.denial);
        }
        let near = self.near(asker, denial.as_mut()).await?;
        let allowed = reason.is_none();
        let verdict = verdict(asker, &case, reason.as_deref(), allowed_by.as_ref());
        let unchecked = decision.unchecked.or_else(|| of_the_call(case.logged.as_ref()));
        let mut message = case.logged.as_ref().map(past).unwrap_or_default() + &verdict;
        if let Some(unchecked) = &unchecked {
            message = format!("{message} {unchecked}");
        }
        Ok(Explained {
            principal: case.caller.principal,
            operation: case.operation.action(),
            allowed,
            stage: decision.stage,
            unchecked,
            allowed_by,
            needed: denial,
            near,
            policy_entry: decision.policy_entry,
            gate,
            message,
            remedy,
            logged: case.logged,
        })
    }

    async fn source(&self, asker: &OrganisationSession, decision: &Decision, rule: RuleId) -> Result<Source, Error> {
        let Some(source) = decision.source else {
            // An owner's rule has the identifier of the membership.
            return Ok(if decision.is_owner { Source::Owner(MemberId::new(rule.uuid())) } else { Source::Given });
        };
        let mut named = self.named_bindings(asker.organisation.id, &[source]).await?;
        Ok(named.pop().map_or(Source::Given, Source::Bound))
    }

    async fn near(&self, asker: &OrganisationSession, denial: Option<&mut Denial>) -> Result<Vec<NearRule>, Error> {
        let Some(denial) = denial else { return Ok(Vec::new()) };
        let misses = core::mem::take(&mut denial.near);
        let wanted: Vec<_> = misses.iter().map(|miss| (miss.role, miss.binding)).collect();
        let named = self.named_bindings(asker.organisation.id, &wanted).await?;
        Ok(misses.into_iter().zip(named).map(|(miss, by)| NearRule { miss, by }).collect())
    }
}

/// Whether it is allowed, and why.
fn verdict(asker: &OrganisationSession, case: &Case, refusal: Option<&str>, by: Option<&AllowedBy>) -> String {
    let principal = case.caller.principal;
    let who = if principal == asker.caller().principal { "You".to_owned() } else { format!("`{principal}`") };
    let what = match case.name() {
        "" => format!("`{}`", case.operation.action().as_str()),
        name => format!("`{}` on `{name}`", case.operation.action().as_str()),
    };
    match (refusal, by) {
        (Some(refusal), _) => format!("{who} may not do {what}. {refusal}"),
        (None, Some(by)) => format!("{who} may do {what}: {}.", way(by)),
        (None, None) => format!("{who} may do {what}."),
    }
}

fn way(by: &AllowedBy) -> String {
    let rule = by.rule;
    match &by.source {
        Source::Owner(_) => "owners may do everything".to_owned(),
        Source::Given => format!("the rule {rule} allows it"),
        Source::Bound(BoundBy { role: (role, name), binding: (binding, _), team }) => {
            let through = match team {
                Some((team, name)) => format!("through the team `{name}` ({team})"),
                None => "directly".to_owned(),
            };
            format!("the rule {rule} of the role `{name}` ({role}) allows it, bound by {binding} {through}")
        }
    }
}

/// What the log says of the call that was asked about.
fn past(logged: &Logged) -> String {
    let at = logged.at.to_rfc3339();
    match &logged.decided_by {
        Some(by) => format!("At {at} it was denied by `{by}`. Now: "),
        None => format!("At {at} it was denied. Now: "),
    }
}

fn of_the_call(logged: Option<&Logged>) -> Option<String> {
    let by = logged?.decided_by.as_deref().filter(|by| OF_THE_CALL.contains(by))?;
    Some(format!("What denied that call then (`{by}`) rests on what it brought along, which isn't looked at here."))
}

fn wanted_rule(denial: &Denial, case: &Case) -> String {
    let text = denial.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase()).unwrap_or_default();
    let all = if matches!(case.operation.guard, Guard::New(_)) { ", for all resources of the type" } else { "" };
    format!("{first}{}{all}, in a role that is bound to the principal or to one of their teams.", chars.as_str())
}
