use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use crate::json::read;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::time::Duration;
use http::StatusCode;
use strongroom::audit::{MAX_VERIFIED_AT_ONCE, VerifyCursor, VerifyLimit};
use strongroom_api::audit::{AuditFinding, ExportCheckpoint, VerifiedAudit, VerifyAudit};
use strongroom_domain::audit::{Action, Finding, ResourceKind};
use strongroom_domain::port::StoredCheckpoint;

/// Where the caller doesn't say.
const DEFAULT_LIMIT: u32 = 5_000;
/// How long a step takes at the most, or little more.
const TIME: Duration = Duration::from_secs(5);

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemAuditVerify, ResourceKind::AuditLog).await?;
    let request: VerifyAudit = match body.optional().await? {
        Some(body) => read(&body.parse()?)?,
        None => VerifyAudit::default(),
    };
    let VerifyAudit { cursor: text, anchor: kept, limit } = request;
    let limit = VerifyLimit { records: records(limit)?, time: TIME };
    let cursor = text.as_deref().map(cursor).transpose()?;
    let anchor = kept.map(anchor).transpose()?;
    let step = call.engine.verify_audit(&session).run(cursor, anchor, limit).await?;
    let answer = VerifiedAudit {
        phase: step.phase.to_string(),
        checked: step.checked,
        total: step.total,
        records: step.records,
        checkpoints: step.checkpoints,
        findings: step.findings.iter().map(finding).collect(),
        index_uncounted: step.index_uncounted,
        unindexed_since: step.unindexed_since.map(|since| since.to_string()),
        unchecked_since: step.unchecked_since.map(|since| since.to_string()),
        next: step.next.map(|next| URL_SAFE_NO_PAD.encode(next.to_bytes())),
    };
    Answer::json(StatusCode::OK, &answer)
}

fn records(limit: Option<u64>) -> Result<u32, Failure> {
    let Some(limit) = limit else { return Ok(DEFAULT_LIMIT) };
    let limit = u32::try_from(limit).ok().filter(|limit| (1..=MAX_VERIFIED_AT_ONCE).contains(limit));
    limit.ok_or_else(|| Failure::invalid("`limit` is a number from 1 to 20000; leave it out for 5000."))
}

fn cursor(text: &str) -> Result<VerifyCursor, Failure> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    bytes
        .and_then(|bytes| VerifyCursor::from_bytes(&bytes).ok())
        .ok_or_else(|| Failure::invalid("`cursor` is what the step before gave as `next`; leave it out to begin anew."))
}

fn anchor(anchor: ExportCheckpoint) -> Result<StoredCheckpoint, Failure> {
    let ExportCheckpoint { number, canonical, key_version, signature } = anchor;
    let stored = StoredCheckpoint { number, canonical: canonical.0, signature: (key_version, signature.0) };
    if stored.read().is_some() {
        return Ok(stored);
    }
    Err(Failure::invalid(
        "`anchor` is not a checkpoint; take a line that was sent out, or that `strongroomd audit checkpoint` gave.",
    ))
}

fn finding(finding: &Finding) -> AuditFinding {
    AuditFinding {
        kind: finding.kind.as_str().to_owned(),
        stream: finding.stream.map(|stream| stream.to_string()),
        sequence: finding.sequence,
        checkpoint: finding.checkpoint,
        message: finding.to_string(),
        advice: finding.kind.advice().to_owned(),
    }
}
