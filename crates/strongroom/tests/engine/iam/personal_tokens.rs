use super::room::{Room, code, show};
use crate::support::START;
use async_trait::async_trait;
use core::pin::Pin;
use std::sync::{Arc, Mutex};
use strongroom::domain::audit::Action;
use strongroom::domain::directory::{Expiry, MemberRole, Scopes};
use strongroom::domain::id::OrganisationId;
use strongroom::domain::port::{CommitError, CommitErrorKind, Committer};
use strongroom::domain::unit::Unit;
use strongroom::domain::value::SecretBytes;
use strongroom::iam::personal_tokens::{IssuedPersonalToken, NewPersonalToken};
use strongroom::{Code, Error};
use strongroom_testkit::{Faulty, When};

fn new(name: &str, scopes: &[&str], expires: Option<&str>) -> NewPersonalToken {
    NewPersonalToken {
        name: name.to_owned(),
        scopes: Scopes::new(scopes.iter().map(|it| (*it).to_owned()).collect()).expect("known"),
        expires: expires.map(|text| Expiry::parse(text.to_owned()).expect("RFC 3339")),
    }
}

async fn create(room: &Room, by: &SecretBytes, new: NewPersonalToken) -> Result<IssuedPersonalToken, Error> {
    let identity = room.identity(&show(by)).await?;
    room.engine.create_personal_token(&identity).await?.run(new).await
}

async fn delete(room: &Room, by: &SecretBytes, token: &str) -> Result<(), Error> {
    let identity = room.identity(&show(by)).await?;
    room.engine.delete_personal_token(&identity, token).await?.run().await
}

#[tokio::test]
async fn a_token_opens_until_it_is_deleted() {
    let room = Room::new().await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let issued = create(&room, &zoe.token, new("laptop", &[], Some("2030-01-01T02:00:00+02:00"))).await.expect("makes");
    assert_eq!(issued.token.expires.as_ref().map(|it| it.text.as_str()), Some("2030-01-01T02:00:00+02:00"));
    let record = room.last_record().await;
    assert_eq!(record, format!("iam.personal_token.create success 201 - {}", issued.token.id));
    assert_eq!(
        room.session_on(&room.engine, &issued.secret).await.expect("opens").caller().credential,
        issued.token.id
    );
    let identity = room.identity(&show(&zoe.token)).await.expect("stands");
    let listed = room.engine.list_personal_tokens(&identity).await.expect("lists");
    assert!(listed.contains(&issued.token));

    for other in [&room.owner.token, &room.person(None).await.token] {
        let deleted = delete(&room, other, &issued.token.id.to_string()).await;
        assert_eq!(code(deleted), Some(Code::ObjectNotFound), "it is not theirs");
    }
    assert_eq!(code(delete(&room, &zoe.token, "laptop").await), Some(Code::ObjectNotFound));
    delete(&room, &zoe.token, &issued.token.id.to_string()).await.expect("deletes");
    assert_eq!(room.last_record().await, format!("iam.personal_token.delete success 204 - {}", issued.token.id));
    // The clock stands still, so that what is kept in memory would still be fresh.
    let refused = room.identified(&room.engine, &show(&issued.secret)).await.err();
    assert_eq!(refused.map(|error| error.code()), Some(Code::Unauthenticated));
    assert_eq!(code(delete(&room, &zoe.token, &issued.token.id.to_string()).await), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn a_token_is_not_more_than_the_credential_that_makes_it() {
    let room = Room::new().await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let end = "2030-01-01T00:00:00Z";
    let (_, writing) = room.token(zoe.id, None, &["api:write"], None).await;
    let expires = Some(Expiry::parse(end.to_owned()).expect("RFC 3339"));
    let (_, ending) = room.token(zoe.id, None, &[], expires).await;
    for (by, new, expected) in [
        (&writing, new("a", &[], None), Some(Code::Escalation)),
        (&writing, new("a", &["api:read"], None), Some(Code::Escalation)),
        (&writing, new("a", &["kubernetes"], None), None),
        (&writing, new("a", &["api:write"], None), None),
        (&ending, new("a", &[], None), Some(Code::Escalation)),
        (&ending, new("a", &[], Some("2030-01-01T00:00:01Z")), Some(Code::Escalation)),
        (&ending, new("a", &[], Some("2030-01-01T01:00:00+01:00")), None),
        (&zoe.token, new("a", &["api:read"], Some("2031-01-01T00:00:00Z")), None),
    ] {
        assert_eq!(code(create(&room, by, new.clone()).await), expected, "{new:?}");
    }
    let bound = room.token(zoe.id, Some(room.organisation), &[], None).await.1;
    let made = create(&room, &bound, new("a", &[], None)).await.expect("makes");
    assert_eq!(made.token.organisation, Some(room.organisation));
    assert_eq!(create(&room, &zoe.token, new("a", &[], None)).await.expect("makes").token.organisation, None);
}

#[tokio::test]
async fn what_is_asked_for_is_checked() {
    let room = Room::new().await;
    let past = START.plus_seconds(-1).to_rfc3339();
    for bad in [
        new("", &[], None),
        new("a\n", &[], None),
        new("a", &[], Some(&past)),
        new("a", &[], Some(&START.to_rfc3339())),
    ] {
        assert_eq!(code(create(&room, &room.owner.token, bad.clone()).await), Some(Code::InvalidRequest), "{bad:?}");
    }
    assert!(room.last_record().await.starts_with("iam.personal_token.create failure 400 invalid_request"));
}

#[tokio::test]
async fn a_token_that_was_deleted_meanwhile_makes_no_other() {
    let room = Room::new().await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let (id, leaked) = room.token(zoe.id, None, &[], None).await;
    let identity = room.identity(&show(&leaked)).await.expect("stands yet");
    let making = room.engine.create_personal_token(&identity).await.expect("a user");
    delete(&room, &zoe.token, &id.to_string()).await.expect("deletes");
    assert_eq!(code(making.run(new("a", &[], None)).await), Some(Code::Unauthenticated));
}

type Interlude = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store where, just before the first unit is applied, somebody else does something.
struct Between {
    store: Arc<dyn Committer>,
    interlude: Mutex<Option<Interlude>>,
}

#[async_trait]
impl Committer for Between {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        let interlude = self.interlude.lock().expect("no panic").take();
        if let Some(interlude) = interlude {
            interlude.await;
        }
        self.store.commit(unit).await
    }
}

#[tokio::test]
async fn a_bound_token_that_is_being_deleted_makes_no_other() {
    let room = Room::new().await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let (_, sibling) = room.token(zoe.id, Some(room.organisation), &[], None).await;
    let between = Arc::new(Between { store: room.world.store.clone(), interlude: Mutex::default() });
    let (engine, other) = (room.node_over(between.clone()), room.another_node());
    for by in [&zoe.token, &sibling] {
        let (id, leaked) = room.token(zoe.id, Some(room.organisation), &[], None).await;
        let identity = room.identity_on(&engine, &show(&leaked)).await.expect("stands yet");
        let making = engine.create_personal_token(&identity).await.expect("a member");
        let deleting = room.identity_on(&other, &show(by)).await.expect("stands");
        let other = Arc::clone(&other);
        *between.interlude.lock().expect("no panic") = Some(Box::pin(async move {
            let delete = other.delete_personal_token(&deleting, &id.to_string()).await.expect("a user");
            delete.run().await.expect("deletes");
        }));
        assert_eq!(code(making.run(new("a", &[], None)).await), Some(Code::Unauthenticated));
        let zoe = room.identity(&show(&zoe.token)).await.expect("stands");
        let left = room.engine.list_personal_tokens(&zoe).await.expect("lists");
        assert_eq!(left.len(), 2, "hers, and the sibling");
    }
}

#[tokio::test]
async fn a_bound_token_goes_although_the_organisation_changes_meanwhile() {
    let room = Arc::new(Room::new().await);
    let zoe = room.person(Some(MemberRole::Member)).await;
    let (id, _) = room.token(zoe.id, Some(room.organisation), &[], None).await;
    let between = Arc::new(Between { store: room.world.store.clone(), interlude: Mutex::default() });
    let engine = room.node_over(between.clone());
    let identity = room.identity_on(&engine, &show(&zoe.token)).await.expect("stands");
    let delete = engine.delete_personal_token(&identity, &id.to_string()).await.expect("a user");
    let elsewhere = Arc::clone(&room);
    *between.interlude.lock().expect("no panic") = Some(Box::pin(async move {
        elsewhere.person(Some(MemberRole::Member)).await;
    }));
    delete.run().await.expect("deletes");
    assert_eq!(room.last_record().await, format!("iam.personal_token.delete success 204 - {id}"));
    let left = engine.list_personal_tokens(&identity).await.expect("lists");
    assert!(left.iter().all(|token| token.id != id), "it is gone");
    assert!(between.interlude.lock().expect("no panic").is_none(), "the organisation did change");
}

#[tokio::test]
async fn service_accounts_have_none() {
    let room = Room::new().await;
    let (_, key) = room.service_account("deploy").await;
    let identity = room.identity(&key).await.expect("stands");
    assert_eq!(code(room.engine.list_personal_tokens(&identity).await), Some(Code::Forbidden));
    assert_eq!(code(room.engine.create_personal_token(&identity).await), Some(Code::Forbidden));
    let refused = room.engine.delete_personal_token(&identity, "cred-x").await;
    assert_eq!(code(refused), Some(Code::Forbidden));
    let records = room.world.records().await;
    let tried: Vec<_> = records.iter().rev().take(3).map(|record| (record.action, record.status)).collect();
    assert_eq!(
        tried,
        [
            (Action::IamPersonalTokenDelete, 403),
            (Action::IamPersonalTokenCreate, 403),
            (Action::IamPersonalTokenList, 403)
        ]
    );
}

#[tokio::test]
async fn no_token_leaves_when_it_and_its_record_are_not_stored() {
    let room = Room::new().await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let faulty = Arc::new(Faulty::new(Arc::clone(&room.world.store)));
    let engine = room.node_over(faulty.clone());
    let identity = room.identity_on(&engine, &show(&zoe.token)).await.expect("stands");
    let owner = room.session_on(&engine, &room.owner.token).await.expect("a member");
    for (when, kind, expected) in [
        (When::Before, CommitErrorKind::Full, Code::StorageFull),
        (When::Before, CommitErrorKind::Unavailable, Code::StoreUnavailable),
        (When::After, CommitErrorKind::OutcomeUnknown, Code::OutcomeUnknown),
    ] {
        faulty.commits.fail(when, kind.clone());
        let own = engine.create_personal_token(&identity).await.expect("a user").run(new("a", &[], None)).await;
        assert_eq!(code(own), Some(expected), "{kind:?}");
        faulty.commits.fail(when, kind.clone());
        let issue = engine.issue_user_token(&owner, &zoe.id.to_string()).await.expect("allowed");
        assert_eq!(code(issue.run(new("a", &[], None)).await), Some(expected), "{kind:?}");
    }
    let left = room.engine.list_personal_tokens(&identity).await.expect("lists").len();
    assert_eq!(left, 3, "of those whose outcome is unknown nobody has the token");
    // A token whose deletion may have been stored opens nothing more here.
    let (id, doomed) = room.token(zoe.id, None, &[], None).await;
    room.identified(&engine, &show(&doomed)).await.expect("stands yet");
    faulty.commits.fail(When::After, CommitErrorKind::OutcomeUnknown);
    let delete = engine.delete_personal_token(&identity, &id.to_string()).await.expect("a user");
    assert_eq!(code(delete.run().await), Some(Code::OutcomeUnknown));
    let refused = room.identified(&engine, &show(&doomed)).await.err();
    assert_eq!(refused.map(|error| error.code()), Some(Code::Unauthenticated));
}

#[tokio::test]
async fn a_bound_token_needs_the_membership() {
    let room = Room::new().await;
    let stranger = room.person(None).await;
    let (id, bound) = room.token(stranger.id, Some(room.organisation), &[], None).await;
    let identity = room.identity(&show(&bound)).await.expect("a user");
    assert_eq!(code(room.engine.list_personal_tokens(&identity).await), Some(Code::OrganisationDenied));
    assert_eq!(code(create(&room, &bound, new("a", &[], None)).await), Some(Code::OrganisationDenied));
    assert_eq!(code(delete(&room, &bound, &id.to_string()).await), Some(Code::OrganisationDenied));

    let zoe = room.person(Some(MemberRole::Member)).await;
    let (_, bound) = room.token(zoe.id, Some(room.organisation), &[], None).await;
    let identity = room.identity(&show(&bound)).await.expect("a user");
    let making = room.engine.create_personal_token(&identity).await.expect("a member yet");
    let owner = room.session(&room.owner).await;
    room.engine.remove_member(&owner, &zoe.member()).await.expect("allowed").run().await.expect("removes");
    assert_eq!(code(making.run(new("a", &[], None)).await), Some(Code::OrganisationDenied));
    assert_eq!(code(room.identified(&room.engine, &show(&bound)).await), Some(Code::Unauthenticated));
}

#[tokio::test]
async fn what_is_done_to_a_token_is_told_wherever_it_reaches() {
    let room = Room::new().await;
    let (here, there) = (room.organisation, room.organisation("elsewhere").await);
    let zoe = room.person(Some(MemberRole::Member)).await;
    room.join(zoe.id, there, MemberRole::Member).await;
    let told = async |before: usize| -> Vec<Option<OrganisationId>> {
        let records = room.world.records().await.split_off(before);
        let mut told: Vec<_> = records.iter().map(|record| record.organisation).collect();
        told.sort_unstable_by_key(|it| it.map(OrganisationId::uuid));
        told
    };
    let now = async || room.world.records().await.len();

    let before = now().await;
    let issued = create(&room, &zoe.token, new("a", &[], None)).await.expect("makes");
    assert_eq!(told(before).await, [Some(here), Some(there)]);
    let before = now().await;
    delete(&room, &zoe.token, &issued.token.id.to_string()).await.expect("deletes");
    assert_eq!(told(before).await, [Some(here), Some(there)]);

    let (id, bound) = room.token(zoe.id, Some(there), &[], None).await;
    let before = now().await;
    create(&room, &bound, new("a", &[], None)).await.expect("makes");
    delete(&room, &zoe.token, &id.to_string()).await.expect("deletes");
    assert_eq!(told(before).await, [Some(there), Some(there)], "a bound one reaches no further");

    let nobody = room.person(None).await;
    let before = now().await;
    create(&room, &nobody.token, new("a", &[], None)).await.expect("makes");
    assert_eq!(told(before).await, [None]);
}

#[tokio::test]
async fn there_are_at_most_a_hundred() {
    let room = Room::new().await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let issue = async || {
        let owner = room.session(&room.owner).await;
        let issue = room.engine.issue_user_token(&owner, &zoe.id.to_string()).await.expect("allowed");
        issue.run(new("a", &[], None)).await
    };
    let (mut last, mut last_bound) = (None, None);
    for _ in 1..100 {
        last = Some(room.token(zoe.id, None, &[], None).await.0);
        last_bound = Some(room.token(zoe.id, Some(room.organisation), &[], None).await.0);
    }
    assert_eq!(code(create(&room, &zoe.token, new("a", &[], None)).await), Some(Code::InvalidRequest));
    delete(&room, &zoe.token, &last.expect("made").to_string()).await.expect("deletes");
    create(&room, &zoe.token, new("a", &[], None)).await.expect("makes");
    // What owners hand out is counted for itself: they neither see nor delete the others.
    issue().await.expect("the hundredth");
    assert_eq!(code(issue().await), Some(Code::InvalidRequest));
    delete(&room, &zoe.token, &last_bound.expect("made").to_string()).await.expect("deletes");
    issue().await.expect("issues");
}
