//! What can be explained: which permission each operation takes, and on what.

use super::table::OPERATIONS;
use crate::session::Service;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::ObjectKind;
use strongroom_domain::iam::{Permission, ResourceType};
use strongroom_domain::kms::KeyType;
use strongroom_domain::policy::PolicyOperation;

/// An operation, as rules guard it.
#[derive(Debug)]
pub struct Operation {
    pub(super) action: Action,
    pub(super) any_of: &'static [Permission],
    pub(crate) guard: Guard,
}

/// What an operation is done to, and what else stands before it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// A secret that is there.
    Secret(Beyond),
    /// A path where no secret is yet.
    NewSecret,
    /// A KMS key.
    Key(KeyUse),
    /// An object of the directory, of this kind, and the type that guards it.
    Object(ResourceType, ObjectKind),
    /// What isn't there yet, so that only a rule for all of the type allows it.
    New(ResourceType),
    /// The type as a whole.
    Any(ResourceType),
}

/// What stands before an operation on a secret, beside rules on secrets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beyond {
    Nothing,
    /// The access policy, and this permission on the secret's key.
    PolicyAndKey(PolicyOperation, Permission),
}

/// What an operation asks of the state of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyUse {
    /// Nothing.
    Any,
    /// That it is active.
    Active,
    /// That its type can do this.
    Typed(fn(KeyType) -> bool, &'static str),
    /// That its type can do this, and that it is active.
    Made(fn(KeyType) -> bool, &'static str),
    /// That it was created to be exported, and is active.
    Exported,
    /// That it isn't pending deletion.
    Live,
    /// That it may get another version.
    Rotated,
    /// That it can be switched on (`true`) or off.
    Switched(bool),
}

impl Operation {
    /// All that can be explained.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        OPERATIONS
    }

    pub(crate) fn of(action: Action) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.action == action)
    }

    /// Its name is that of the action in the audit log.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Permissions of which one is enough.
    #[must_use]
    pub const fn any_of(&self) -> &'static [Permission] {
        self.any_of
    }

    /// The type of resource that guards it.
    #[must_use]
    pub const fn resource(&self) -> ResourceType {
        match self.guard {
            Guard::Secret(_) | Guard::NewSecret => ResourceType::Secret,
            Guard::Key(_) => ResourceType::KmsKey,
            Guard::Object(kind, _) | Guard::New(kind) | Guard::Any(kind) => kind,
        }
    }

    /// The gates that it stands behind; `None` for what belongs to the organisation as a whole.
    pub(crate) const fn service(&self) -> Option<Service> {
        match self.resource() {
            ResourceType::Secret => Some(Service::Secrets),
            ResourceType::KmsKey => Some(Service::Kms),
            _ => None,
        }
    }

    /// Whether it is about projects themselves.
    pub(crate) fn is_of_projects(&self) -> bool {
        self.resource() == ResourceType::Project
    }

    /// What the log says that it is done to.
    pub(crate) fn resource_kind(&self) -> ResourceKind {
        ResourceKind::from_name(self.resource().as_str()).unwrap_or(ResourceKind::Organisation)
    }
}
