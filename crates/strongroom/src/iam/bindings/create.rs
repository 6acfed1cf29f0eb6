use super::{BindingView, BoundView};
use crate::directory::{Amended, DirectoryChange, Scene, subjects_of};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::iam::granted::by_binding;
use crate::iam::roles::attempted;
use crate::iam::room::check_room;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Binding, BoundTo, Named, OrganisationMember, Role};
use strongroom_domain::iam::{HeldRules, Permission};
use strongroom_domain::id::BindingId;
use strongroom_domain::metadata::{Metadata, check_name};
use strongroom_domain::port::ObjectSelector;
use strongroom_domain::unit::Change;

/// The most projects that a binding is limited to.
const MAX_PROJECTS: usize = 100;
/// The most bindings of a role, and the most of one principal or team.
const MAX_BINDINGS: usize = 1_000;
/// The longest entry, in bytes.
const MAX_ENTRY_LEN: usize = 255;

/// Binds a role to somebody.
pub struct CreateBinding<'a>(Permit<'a>);

/// A binding to be made.
#[derive(Clone, Debug)]
pub struct NewBinding {
    /// Its name: 1 to 255 characters, none of them a control character; others may have the same. The slug is made of it.
    pub name: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
    /// Who is to hold the role: somebody of the organisation, with at most 1,000 bindings.
    pub to: BoundTo,
    /// Projects, by identity or slug, to which it is limited: at most 100, each of 1 to 255 bytes; empty for the whole organisation and all
    /// its projects.
    pub projects: Vec<String>,
}

impl Engine {
    /// Checks that the caller may bind this role.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn create_binding<'a>(
        &'a self,
        session: &'a OrganisationSession,
        role: &str,
    ) -> Result<CreateBinding<'a>, Error> {
        self.may::<Role>(session, attempted(Action::IamBindingCreate, Permission::Update), role)
            .await
            .map(CreateBinding)
    }
}

impl CreateBinding<'_> {
    /// Binds it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`] for an unknown role or principal, [`Code::Escalation`] when the role gives more than the caller holds,
    /// [`Code::InvalidRequest`], and those of the store.
    pub async fn run(self, new: NewBinding) -> Result<BindingView, Error> {
        self.0.engine.amend(self.0.session, &Creation { permit: &self.0, new }).await
    }
}

struct Creation<'a> {
    permit: &'a Permit<'a>,
    new: NewBinding,
}

impl Creation<'_> {
    fn check(&self) -> Result<(), Error> {
        check_name(&self.new.name)?;
        let projects = &self.new.projects;
        if projects.len() > MAX_PROJECTS || projects.iter().any(|entry| entry.is_empty() || entry.len() > MAX_ENTRY_LEN)
        {
            let message = format!(
                "`scopes`: at most {MAX_PROJECTS} projects, each by identity or slug; leave it out for the whole organisation."
            );
            return Err(Error::new(Code::InvalidRequest, message));
        }
        Ok(())
    }

    async fn check_rooms(&self, scene: &Scene<'_>, role: &Role) -> Result<(), Error> {
        let organisation = scene.organisation.id;
        let of_role = scene.engine.parts_of::<Binding>(organisation, role.id.uuid()).await?.len();
        check_room(of_role, MAX_BINDINGS, "The role", "bindings")?;
        let whose = ObjectSelector::About(subjects_of(&[self.new.to]));
        let of_subject = scene.engine.objects::<Binding>(Some(organisation), whose).await?.len();
        check_room(of_subject, MAX_BINDINGS, "The one to whom the role is to be bound", "bindings")
    }

    /// Whom the binding names: somebody of this organisation.
    async fn principal(&self, scene: &Scene<'_>) -> Result<BoundView, Error> {
        let organisation = scene.organisation.id;
        let missing = |field: &str, what: &str| {
            Error::new(
                Code::ObjectNotFound,
                format!("`{field}` names no {what} of this organisation; it wants an identity, not a name or slug."),
            )
        };
        let (field, what) = match self.new.to {
            BoundTo::User(_) => ("userIdentity", "member"),
            BoundTo::Team(_) => ("teamIdentity", "team"),
            BoundTo::ServiceAccount(_) => ("serviceAccountIdentity", "service account"),
        };
        if let BoundTo::User(user) = self.new.to {
            let handle = user.to_string();
            let member = scene.engine.object_by_handle::<OrganisationMember>(Some(organisation), &handle).await?;
            member.ok_or_else(|| missing(field, what))?;
        }
        scene.engine.bound_view(organisation, self.new.to).await?.ok_or_else(|| missing(field, what))
    }
}

#[async_trait]
impl DirectoryChange for Creation<'_> {
    type Answer = BindingView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<BindingView>, Error> {
        self.check()?;
        let (role, allowed_by) = scene.permitted::<Role>(self.permit).await?;
        let to = self.principal(scene).await?;
        self.check_rooms(scene, &role).await?;
        scene.check_gain(&[HeldRules {
            rules: role.rules.clone().into(),
            projects: self.new.projects.clone().into(),
        }])?;
        let slug = scene.free_slug::<Binding>(&self.new.name).await?;
        let binding = Binding {
            id: BindingId::new(scene.new_id()),
            organisation: scene.organisation.id,
            role: role.id,
            named: Named::new(self.new.name.clone(), slug, self.new.metadata.clone(), scene.at),
            to: self.new.to,
            projects: self.new.projects.clone(),
        };
        Ok(Amended {
            resource: self.permit.attempted.object(binding.id.to_string(), binding.id.uuid()),
            access: Some(by_binding(&binding)),
            changes: vec![Change::PutObject(Box::new(binding.clone().into()))],
            rule: Some(allowed_by),
            status: 201,
            answer: BindingView { binding, role, to: Some(to) },
        })
    }
}
