//! Where a session finds things, and what it may use.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use weightsmith::model::{LocateOptions, hub_token_file};
use weightsmith_hub::{Hub, HubSettings};
use weightsmith_stores::{StoreSettings, Stores};

use crate::SessionError;
use crate::remembered::Remembered;

/// Where models are found, and what is known of those elsewhere. Clones share connections and what they learnt.
#[derive(Debug, Clone)]
pub struct Session {
    /// Where models are looked for on this machine.
    pub locate: LocateOptions,
    /// The folder of files that can be made again.
    cache: PathBuf,
    elsewhere: Arc<Elsewhere>,
}

/// The Hub and the stores, made when they are first needed.
#[derive(Debug, Default)]
struct Elsewhere {
    /// The hub's settings; without them the environment's.
    hub_settings: Option<HubSettings>,
    hub: OnceLock<Hub>,
    stores: OnceLock<Stores>,
    remembered: Remembered,
}

impl Session {
    /// A session in this process's environment; models are looked for in the Hugging Face cache that it names, or in the folder
    /// that is given.
    pub fn from_env(hub_cache: Option<PathBuf>) -> Self {
        let mut locate = LocateOptions::from_env(|name| std::env::var_os(name));
        if let Some(cache) = hub_cache {
            locate.hub_cache = cache;
        }
        Self {
            locate,
            cache: cache_home(|name| std::env::var_os(name)),
            elsewhere: Arc::default(),
        }
    }

    /// The same with other settings for the Hub.
    #[must_use]
    pub fn with_hub(mut self, settings: HubSettings) -> Self {
        self.elsewhere = Arc::new(Elsewhere {
            hub_settings: Some(settings),
            ..Elsewhere::default()
        });
        self
    }

    /// What the Hub is asked with.
    ///
    /// # Errors
    /// When a variable of the environment has a value that it cannot have.
    pub fn hub_settings(&self) -> Result<HubSettings, SessionError> {
        if let Some(settings) = &self.elsewhere.hub_settings {
            return Ok(settings.clone());
        }
        let settings = HubSettings::from_env(
            |name| std::env::var_os(name),
            self.locate.hub_cache.clone(),
            &hub_token_file(|name| std::env::var_os(name)),
            self.locate.offline,
        );
        Ok(settings?)
    }

    /// The Hub.
    ///
    /// # Errors
    /// As [`Self::hub_settings`].
    pub fn hub(&self) -> Result<&Hub, SessionError> {
        let known = &self.elsewhere.hub;
        if let Some(hub) = known.get() {
            return Ok(hub);
        }
        let hub = Hub::new(&self.hub_settings()?);
        Ok(known.get_or_init(|| hub))
    }

    /// The stores that the environment's credentials and endpoints lead to.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn stores(&self) -> Result<&Stores, SessionError> {
        let known = &self.elsewhere.stores;
        if let Some(stores) = known.get() {
            return Ok(stores);
        }
        let stores = Stores::new(StoreSettings::new(self.cache.join("stores")))?;
        Ok(known.get_or_init(|| stores))
    }

    pub(crate) fn remembered(&self) -> &Remembered {
        &self.elsewhere.remembered
    }

    /// Where models are merged that go elsewhere.
    pub(crate) fn staging(&self) -> PathBuf {
        self.cache.join("staging")
    }

    /// Whether the Hub must not be asked.
    pub fn is_offline(&self) -> bool {
        let settings = self.elsewhere.hub_settings.as_ref();
        self.locate.offline || settings.is_some_and(|settings| settings.offline)
    }
}

/// The folder of a program's files that can be made again: `XDG_CACHE_HOME`, else `~/.cache`.
pub fn cache_home(get: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let set = |name: &str| get(name).filter(|value| !value.is_empty());
    let home = || {
        set("HOME")
            .or_else(|| set("USERPROFILE"))
            .map(PathBuf::from)
    };
    set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(home()?.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("weightsmith")
}
