//! What a principal is and may do in one organisation, at one revision of its directory.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_domain::directory::{BoundTo, MemberRole, OrganisationMember, Project};
use strongroom_domain::iam::{BoundRole, Effective, Grants, HeldRules, Rule};
use strongroom_domain::id::{ProjectId, RuleId};
use strongroom_domain::policy::{PolicySubject, PolicyTeam};
use strongroom_domain::principal::CredentialScopes;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Revision;

/// How the roles came to a principal.
pub(crate) enum Standing {
    /// A user, by membership.
    Member(OrganisationMember),
    /// A service account, by a credential.
    Workload(Extent),
    /// By an embedding program, which gave the rules itself.
    Given,
}

/// How far a service account's credential goes at present, whatever its tokens say that are out.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    /// When it ends; `None` for never.
    pub(crate) end: Option<Timestamp>,
    pub(crate) scopes: CredentialScopes,
}

/// What a principal is and may do in one organisation.
pub(crate) struct Access {
    /// The organisation's, when this was read.
    pub(crate) revision: Revision,
    pub(crate) standing: Standing,
    pub(crate) subject: PolicySubject,
    bound: Vec<BoundRole>,
    /// Compiled on first use, one for each project that is asked about.
    effective: Mutex<Vec<(Option<ProjectId>, Arc<Effective>)>>,
}

/// How many projects' rules are kept compiled; beyond it they are compiled anew.
const MAX_PROJECTS: usize = 2;

impl Access {
    pub(crate) fn new(revision: Revision, standing: Standing, subject: PolicySubject, bound: Vec<BoundRole>) -> Self {
        Self { revision, standing, subject, bound, effective: Mutex::default() }
    }

    /// Of an embedding program's caller.
    pub(crate) fn given(subject: PolicySubject, grants: &Arc<Grants>) -> Self {
        let access = Self::new(Revision::FIRST, Standing::Given, subject, Vec::new());
        let effective = Arc::new(Effective::given(Arc::clone(grants)));
        access.lock().push((None, effective));
        access
    }

    /// Whether the program around the engine gave the rules, so that the directory has nothing to say.
    pub(crate) const fn is_given(&self) -> bool {
        matches!(self.standing, Standing::Given)
    }

    /// Whether the credential still stands.
    pub(crate) fn stands(&self, at: Timestamp) -> bool {
        self.end().is_none_or(|end| at < end)
    }

    fn extent(&self) -> Option<Extent> {
        match self.standing {
            Standing::Workload(extent) => Some(extent),
            Standing::Member(_) | Standing::Given => None,
        }
    }

    /// When the credential of a service account ends.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        self.extent()?.end
    }

    /// What is left of a token's scopes.
    pub(crate) fn narrowed(&self, scopes: CredentialScopes) -> CredentialScopes {
        let present = self.extent().map_or(CredentialScopes::ALL, |extent| extent.scopes);
        CredentialScopes { read: scopes.read && present.read, write: scopes.write && present.write }
    }

    /// The membership that makes an owner of the principal.
    fn ownership(&self) -> Option<&OrganisationMember> {
        match &self.standing {
            Standing::Member(member) if member.role == MemberRole::Owner => Some(member),
            _ => None,
        }
    }

    pub(crate) fn is_owner(&self) -> bool {
        self.ownership().is_some()
    }

    /// The rules that apply in a project, or outside of all.
    pub(crate) fn effective(&self, project: Option<&Project>) -> Arc<Effective> {
        let project = project.filter(|_| self.depends_on_project());
        let id = project.map(|project| project.id);
        let mut known = self.lock();
        if let Some((_, effective)) = known.iter().find(|(known, _)| *known == id || self.is_given()) {
            return Arc::clone(effective);
        }
        let owner = self.ownership().map(|member| member.id);
        let project = project.map(|project| (project.id, project.named.slug.as_str()));
        let effective = Arc::new(Effective::of(owner, &self.bound, project));
        if known.len() >= MAX_PROJECTS {
            known.remove(0);
        }
        known.push((id, Arc::clone(&effective)));
        effective
    }

    /// Everything that the principal may give on: all rules, with the projects to which they are limited.
    pub(crate) fn held(&self) -> Vec<HeldRules> {
        if let Some(owner) = self.ownership() {
            let rule = Rule::everything(RuleId::new(owner.id.uuid()));
            return vec![HeldRules { rules: [rule].into(), projects: [].into() }];
        }
        held_by(&self.bound)
    }

    /// Whether other rules apply in some projects.
    fn depends_on_project(&self) -> bool {
        self.bound.iter().any(|bound| !bound.projects.is_empty())
    }

    /// About how many bytes of memory it takes, with what may be compiled of it.
    pub(crate) fn weight(&self) -> usize {
        let compiled = if self.depends_on_project() { MAX_PROJECTS } else { 1 };
        let mut seen = HashSet::new();
        let roles = self.bound.iter().filter(|bound| seen.insert(bound.role));
        let rules = roles.flat_map(|bound| bound.rules.iter()).map(Rule::weight).sum::<usize>();
        let names = self.bound.iter().flat_map(|bound| bound.projects.iter());
        let teams = self.subject.teams.iter().map(|team| 64 + team.identity.len() + team.slug.len());
        let bindings = 96 * self.bound.len() + names.map(|name| 24 + name.len()).sum::<usize>();
        4_096 + teams.sum::<usize>() + bindings + rules * (1 + compiled)
    }

    /// To what a role is bound that comes to this principal.
    pub(crate) fn bound(&self) -> &[BoundRole] {
        &self.bound
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Option<ProjectId>, Arc<Effective>)>> {
        self.effective.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rules of bound roles, with the projects to which they are limited.
pub(crate) fn held_by(bound: &[BoundRole]) -> Vec<HeldRules> {
    let held = |bound: &BoundRole| HeldRules { rules: bound.rules.clone(), projects: bound.projects.clone() };
    bound.iter().map(held).collect()
}

/// As access policies name a team.
pub(crate) fn policy_team(team: &strongroom_domain::directory::Team) -> PolicyTeam {
    PolicyTeam { identity: team.id.to_string(), slug: team.named.slug.clone() }
}

/// Whom bindings name for a user in these teams.
pub(crate) fn subjects_of(to: &[BoundTo]) -> Vec<uuid::Uuid> {
    to.iter()
        .map(|to| match to {
            BoundTo::User(id) => id.uuid(),
            BoundTo::Team(id) => id.uuid(),
            BoundTo::ServiceAccount(id) => id.uuid(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Access, Extent, Standing};
    use std::sync::Arc;
    use strongroom_domain::directory::{Named, Project};
    use strongroom_domain::iam::{BoundRole, Rule};
    use strongroom_domain::id::{BindingId, OrganisationId, ProjectId, RoleId, RuleId};
    use strongroom_domain::metadata::Metadata;
    use strongroom_domain::policy::PolicySubject;
    use strongroom_domain::principal::CredentialScopes;
    use strongroom_domain::time::Timestamp;
    use strongroom_domain::unit::Revision;
    use uuid::Uuid;

    fn access(bound: Vec<BoundRole>) -> Access {
        let extent = Extent { end: None, scopes: CredentialScopes::ALL };
        Access::new(Revision::FIRST, Standing::Workload(extent), PolicySubject::default(), bound)
    }

    /// A role, bound so many times.
    fn bound(times: u128, projects: &[&str]) -> Vec<BoundRole> {
        let rules: Arc<[Rule]> = (0..1_000).map(|n| Rule::everything(RuleId::new(Uuid::from_u128(n)))).collect();
        let projects: Arc<[String]> = projects.iter().map(|it| (*it).to_owned()).collect();
        let role = RoleId::new(Uuid::nil());
        let bound = |n| BoundRole {
            role,
            binding: BindingId::new(Uuid::from_u128(n)),
            projects: projects.clone(),
            rules: rules.clone(),
        };
        (0..times).map(bound).collect()
    }

    fn project(n: u128) -> Project {
        Project {
            id: ProjectId::new(Uuid::from_u128(n)),
            organisation: OrganisationId::new(Uuid::nil()),
            named: Named::new(n.to_string(), n.to_string(), Metadata::default(), Timestamp::EPOCH),
            parent: None,
        }
    }

    #[test]
    fn what_holds_everywhere_is_compiled_once() {
        let everywhere = access(bound(2, &[]));
        let first = everywhere.effective(None);
        assert!(Arc::ptr_eq(&first, &everywhere.effective(Some(&project(1)))));
        let limited = access(bound(2, &["1"]));
        assert!(!Arc::ptr_eq(&limited.effective(None), &limited.effective(Some(&project(1)))));
    }

    #[test]
    fn a_role_that_is_bound_again_weighs_little() {
        let weight = |times, projects| access(bound(times, projects)).weight();
        let once = weight(1, &[]);
        assert!(once > 100_000, "{once}");
        assert!(weight(100, &[]) - once < 100 * 128, "{}", weight(100, &[]));
        // It may be compiled for several projects.
        assert!(weight(1, &["1"]) > once + once / 4);
    }
}
