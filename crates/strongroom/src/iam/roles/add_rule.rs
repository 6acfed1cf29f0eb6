use super::{attempted, changeable};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::iam::granted::by_rule;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::Role;
use strongroom_domain::iam::{HeldRules, Permission, Rule};
use strongroom_domain::id::RuleId;
use strongroom_domain::metadata::MAX_DESCRIPTION_LEN;
use strongroom_domain::unit::Change;

/// The most rules of a role.
const MAX_RULES: usize = 1_000;
/// The most memory of a role's rules, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// The most entries of a rule's lists.
const MAX_ENTRIES: usize = 1_000;
/// The longest entry, in bytes.
const MAX_ENTRY_LEN: usize = 1_024;

/// Adds a rule to a role.
pub struct AddRule<'a>(Permit<'a>);

/// A rule to be added. It is kept exactly as it is; names that mean nothing here allow nothing.
///
/// Each list has at most 1000 entries of at most 1024 bytes. A role has at most 1000 rules, which take at most 1 MiB together: the bytes of
/// all texts, 24 more for each entry and 128 for each rule. More is [`Code::InvalidRequest`].
#[derive(Clone, Debug, Default)]
pub struct NewRule {
    /// Types of resources, such as `secret` and `kms_key`; `*` for all. With none the rule allows nothing.
    pub resources: Vec<String>,
    /// Which ones: identities or slugs, of secrets path patterns such as `/app/prod/*`; `*` for all. With none, all of these types.
    pub resource_identities: Vec<String>,
    /// What is allowed, such as `read` and `getSecretValue`; `*` for everything. With none the rule allows nothing.
    pub permissions: Vec<String>,
    /// What it is for, for people: at most 1024 characters, may be empty.
    pub note: String,
}

impl NewRule {
    fn check(&self) -> Result<(), Error> {
        let lists = [
            ("resources", &self.resources),
            ("resourceIdentities", &self.resource_identities),
            ("permissions", &self.permissions),
        ];
        let refuse = |message: String| Err(Error::new(Code::InvalidRequest, message));
        for (name, list) in lists {
            if list.len() > MAX_ENTRIES {
                return refuse(format!(
                    "`{name}`: a rule has at most {MAX_ENTRIES} entries in a list; use a pattern, or a second rule."
                ));
            }
            if list.iter().any(|entry| entry.len() > MAX_ENTRY_LEN) {
                return refuse(format!("`{name}`: an entry has at most {MAX_ENTRY_LEN} bytes."));
            }
        }
        if self.note.chars().count() > MAX_DESCRIPTION_LEN {
            return refuse(format!("`note`: has at most {MAX_DESCRIPTION_LEN} characters."));
        }
        Ok(())
    }

    fn into_rule(self, id: RuleId) -> Rule {
        let Self { resources, resource_identities, permissions, note } = self;
        Rule { id, resources, resource_identities, permissions, note }
    }
}

impl Engine {
    /// Checks that the caller may change this role.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn add_rule<'a>(&'a self, session: &'a OrganisationSession, role: &str) -> Result<AddRule<'a>, Error> {
        self.may::<Role>(session, attempted(Action::IamRuleCreate, Permission::Update), role).await.map(AddRule)
    }
}

impl AddRule<'_> {
    /// Adds it, behind those that are there.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`], [`Code::ReadOnly`], [`Code::Escalation`] for a rule that the caller doesn't hold,
    /// [`Code::InvalidRequest`] for one that is too large, and those of the store.
    pub async fn run(self, new: NewRule) -> Result<Rule, Error> {
        self.0.engine.amend(self.0.session, &Addition { permit: &self.0, new }).await
    }
}

struct Addition<'a> {
    permit: &'a Permit<'a>,
    new: NewRule,
}

#[async_trait]
impl DirectoryChange for Addition<'_> {
    type Answer = Rule;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<Rule>, Error> {
        self.new.check()?;
        let (mut role, allowed_by) = scene.permitted::<Role>(self.permit).await?;
        changeable(&role)?;
        if role.rules.len() >= MAX_RULES {
            let message = format!("The role has {MAX_RULES} rules, the most allowed; make a second role.");
            return Err(Error::new(Code::InvalidRequest, message));
        }
        let rule = self.new.clone().into_rule(RuleId::new(scene.new_id()));
        role.rules.push(rule.clone());
        if role.rules.iter().map(Rule::weight).sum::<usize>() > MAX_BYTES {
            let message = "The rules of the role take more than 1 MiB; use patterns, or make a second role.";
            return Err(Error::new(Code::InvalidRequest, message));
        }
        scene.check_gain(&[HeldRules { rules: [rule.clone()].into(), projects: [].into() }])?;
        role.named.touch(scene.at);
        Ok(Amended {
            resource: self.permit.attempted.object(role.id.to_string(), role.id.uuid()),
            access: Some(by_rule(&rule)),
            changes: vec![Change::PutObject(Box::new(role.into()))],
            rule: Some(allowed_by),
            status: 201,
            answer: rule,
        })
    }
}
