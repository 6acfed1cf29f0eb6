use super::{AudienceMatch, FederatedIdentity};
use crate::document::Document;
use crate::port::ForeignClaims;

/// Why a foreign token doesn't become a service account. Holds nothing of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsRefusal {
    /// The subject is another.
    #[error("the token's subject doesn't match `{0}`")]
    Subject(String),
    /// The audiences don't meet the trusted ones.
    #[error("the token's audiences don't meet the trusted ones (`{}`)", .0.as_str())]
    Audiences(AudienceMatch),
    /// A claim that must hold isn't there.
    #[error("the token has no claim `{0}`")]
    Missing(String),
    /// A claim that must hold has another value.
    #[error("the token's claim `{0}` has another value")]
    Differs(String),
}

impl FederatedIdentity {
    /// Whether these claims are meant: the subject, the audiences and each condition. Status and end are not looked at.
    ///
    /// - Audiences are compared as sets. Where none is trusted, no token is taken.
    /// - A condition holds when the claim equals it as JSON or as text (`true` and `"true"`), or when it is a list that holds the
    ///   claim. A claim that is missing fails; one that is there twice must hold twice.
    ///
    /// # Errors
    /// The first thing that doesn't hold.
    pub fn accepts(&self, claims: &ForeignClaims) -> Result<(), ClaimsRefusal> {
        if !self.subject.matches(&claims.subject) {
            return Err(ClaimsRefusal::Subject(self.subject.as_str().to_owned()));
        }
        if !meet(&claims.audiences, &self.audiences, self.audience_match) {
            return Err(ClaimsRefusal::Audiences(self.audience_match));
        }
        self.conditions.iter().try_for_each(|(name, condition)| {
            let mut claims = claims.claims.iter().filter(|(claim, _)| claim == name).map(|(_, value)| value).peekable();
            if claims.peek().is_none() {
                return Err(ClaimsRefusal::Missing(name.clone()));
            }
            if claims.all(|claim| holds(claim, condition)) { Ok(()) } else { Err(ClaimsRefusal::Differs(name.clone())) }
        })
    }
}

fn meet(named: &[String], trusted: &[String], how: AudienceMatch) -> bool {
    let all_named = trusted.iter().all(|audience| named.contains(audience));
    let met = match how {
        AudienceMatch::Exact => all_named && named.iter().all(|audience| trusted.contains(audience)),
        AudienceMatch::Any => trusted.iter().any(|audience| named.contains(audience)),
        AudienceMatch::All => all_named,
    };
    met && !trusted.is_empty()
}

fn holds(claim: &Document, condition: &Document) -> bool {
    let equals = |value: &Document| equal_as_json(claim, value) || equal_as_text(claim, value);
    match condition {
        Document::List(values) => equals(condition) || values.iter().any(equals),
        _ => equals(condition),
    }
}

/// The order of members means nothing in JSON.
fn equal_as_json(one: &Document, other: &Document) -> bool {
    match (one, other) {
        (Document::List(one), Document::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal_as_json(one, other))
        }
        (Document::Map(one), Document::Map(other)) => {
            let (one, other) = (by_name(one), by_name(other));
            let alike = |((name, one), (other_name, other)): (&(_, _), &(_, _))| {
                name == other_name && equal_as_json(one, other)
            };
            one.len() == other.len() && one.into_iter().zip(other).all(alike)
        }
        _ => one == other,
    }
}

fn by_name(members: &[(String, Document)]) -> Vec<&(String, Document)> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by_key(|(name, _)| name.as_str());
    sorted
}

fn equal_as_text(one: &Document, other: &Document) -> bool {
    as_text(one).is_some_and(|text| Some(text) == as_text(other))
}

/// Of a value that is one word; null is none.
fn as_text(value: &Document) -> Option<String> {
    match value {
        Document::Bool(value) => Some(value.to_string()),
        Document::Integer(value) => Some(value.to_string()),
        Document::Text(text) => Some(text.clone()),
        Document::Null | Document::List(_) | Document::Map(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{ClaimsRefusal, holds};
    use crate::directory::{AudienceMatch, FederatedIdentity, FederatedIdentityStatus, Named, Scopes, SubjectPattern};
    use crate::document::Document;
    use crate::id::{FederatedIdentityId, OrganisationId, ProviderId, ServiceAccountId};
    use crate::metadata::Metadata;
    use crate::port::ForeignClaims;
    use crate::time::Timestamp;
    use uuid::Uuid;

    fn text(text: &str) -> Document {
        Document::Text(text.to_owned())
    }

    fn map(members: &[(&str, Document)]) -> Document {
        Document::Map(owned(members))
    }

    fn owned(members: &[(&str, Document)]) -> Vec<(String, Document)> {
        members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    fn identity(
        audiences: &[&str],
        audience_match: AudienceMatch,
        conditions: &[(&str, Document)],
    ) -> FederatedIdentity {
        let at = Timestamp::from_micros(0);
        FederatedIdentity {
            id: FederatedIdentityId::new(Uuid::from_u128(1)),
            organisation: OrganisationId::new(Uuid::from_u128(2)),
            named: Named::new("ci".to_owned(), "ci".to_owned(), Metadata::default(), at),
            service_account: ServiceAccountId::new(Uuid::from_u128(3)),
            provider: ProviderId::new(Uuid::from_u128(4)),
            subject: SubjectPattern::new("repo:acme/*:ref:refs/heads/main".to_owned()).expect("legal"),
            audiences: texts(audiences),
            audience_match,
            scopes: Scopes::default(),
            status: FederatedIdentityStatus::Active,
            expires: None,
            conditions: owned(conditions),
        }
    }

    fn token(audiences: &[&str], claims: &[(&str, Document)]) -> ForeignClaims {
        ForeignClaims {
            subject: "repo:acme/shop:ref:refs/heads/main".to_owned(),
            audiences: texts(audiences),
            expires_at: Timestamp::from_micros(0),
            claims: owned(claims),
        }
    }

    #[test]
    fn the_subject_must_match() {
        let identity = identity(&["us"], AudienceMatch::Any, &[]);
        let good = token(&["us"], &[]);
        assert_eq!(identity.accepts(&good), Ok(()));
        for subject in
            ["", "repo:acme/shop:ref:refs/heads/main2", "repo:evil/acme/shop:ref:refs/heads/main", "REPO:acme/x"]
        {
            let bad = ForeignClaims { subject: subject.to_owned(), ..good.clone() };
            let refusal = identity.accepts(&bad).expect_err("refused");
            assert_eq!(refusal.to_string(), "the token's subject doesn't match `repo:acme/*:ref:refs/heads/main`");
        }
    }

    #[test]
    fn audiences_meet_by_their_mode() {
        for (trusted, named, exact, any, all) in [
            (&["a"][..], &["a"][..], true, true, true),
            (&["a", "b"], &["b", "a", "a"], true, true, true),
            (&["a"], &["a", "b"], false, true, true),
            (&["a", "b"], &["a"], false, true, false),
            (&["a", "b"], &["c"], false, false, false),
            (&["a"], &["A"], false, false, false),
            (&["a"], &[], false, false, false),
            (&[], &[], false, false, false),
            (&[], &["a"], false, false, false),
        ] {
            for (how, expected) in [(AudienceMatch::Exact, exact), (AudienceMatch::Any, any), (AudienceMatch::All, all)]
            {
                let accepted = identity(trusted, how, &[]).accepts(&token(named, &[]));
                let expected = if expected { Ok(()) } else { Err(ClaimsRefusal::Audiences(how)) };
                assert_eq!(accepted, expected, "{trusted:?} {named:?}");
            }
        }
    }

    #[test]
    fn every_condition_must_hold() {
        let conditions = [("ref", text("main")), ("protected", Document::Bool(true))];
        let identity = identity(&["us"], AudienceMatch::Any, &conditions);
        let accepts = |claims: &[(&str, Document)]| identity.accepts(&token(&["us"], claims));
        assert_eq!(accepts(&[("protected", text("true")), ("more", Document::Null), ("ref", text("main"))]), Ok(()));
        assert_eq!(accepts(&[("ref", text("main"))]), Err(ClaimsRefusal::Missing("protected".to_owned())));
        assert_eq!(accepts(&[("Ref", text("main"))]), Err(ClaimsRefusal::Missing("ref".to_owned())));
        let differs = Err(ClaimsRefusal::Differs("ref".to_owned()));
        assert_eq!(accepts(&[("ref", text("dev")), conditions[1].clone()]), differs);
        assert_eq!(accepts(&[("ref", Document::Null), conditions[1].clone()]), differs);
        assert_eq!(accepts(&[("ref", text("main")), ("ref", text("dev")), conditions[1].clone()]), differs);
    }

    #[test]
    fn values_are_compared_as_json_or_as_text() {
        let list = |items: &[Document]| Document::List(items.to_vec());
        let (one, two) = (Document::Integer(1), Document::Integer(2));
        let nested = map(&[("a", one.clone()), ("b", list(&[Document::Null, two.clone()]))]);
        let reordered = map(&[("b", list(&[Document::Null, two.clone()])), ("a", one.clone())]);
        for (claim, condition, expected) in [
            (text("x"), text("x"), true),
            (text("x"), text("X"), false),
            (Document::Bool(true), text("true"), true),
            (text("true"), Document::Bool(true), true),
            (text("True"), Document::Bool(true), false),
            (Document::Bool(true), Document::Bool(false), false),
            (Document::Bool(true), one.clone(), false),
            (one.clone(), text("1"), true),
            (text("1"), one.clone(), true),
            (text("01"), one.clone(), false),
            (Document::Integer(-7), text("-7"), true),
            (Document::Null, Document::Null, true),
            (Document::Null, text("null"), false),
            (Document::Null, text(""), false),
            // A list of a condition names what is allowed.
            (one.clone(), list(&[two.clone(), text("1")]), true),
            (text("x"), list(&[text("y"), text("x")]), true),
            (text("z"), list(&[text("y"), text("x")]), false),
            (text("x"), list(&[]), false),
            (list(&[text("y"), text("x")]), list(&[text("y"), text("x")]), true),
            (list(&[text("x"), text("y")]), list(&[text("y"), text("x")]), false),
            (list(&[text("x")]), list(&[text("y"), list(&[text("x")])]), true),
            // A list of a claim is one value.
            (list(&[text("x")]), text("x"), false),
            (list(&[text("x")]), list(&[text("x"), text("y")]), false),
            (nested.clone(), reordered.clone(), true),
            (nested.clone(), list(&[reordered]), true),
            (nested.clone(), map(&[("a", one.clone())]), false),
            (map(&[("a", one.clone()), ("a", two.clone())]), map(&[("a", one.clone()), ("b", two.clone())]), false),
            (map(&[("a", one.clone())]), map(&[("a", text("1"))]), false),
            (nested, text("{}"), false),
        ] {
            assert_eq!(holds(&claim, &condition), expected, "{claim:?} {condition:?}");
        }
    }
}
