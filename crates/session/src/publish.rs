//! A merged model onto the hub.

use std::path::Path;

use weightsmith::output::{Publication, PublicationOptions, publication};
use weightsmith_hub::{Content, ModelName, PushOptions, Pushed};

use crate::moving::Moving;
use crate::{Monitor, Note, Session, SessionError, Work};

/// A model that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its repository.
    pub name: ModelName,
    /// What was done there.
    pub pushed: Pushed,
}

impl Session {
    /// What is published of a folder, after telling what is not.
    ///
    /// # Errors
    /// When it holds no model, or something that must not leave this machine.
    pub fn gather_publication(
        &self,
        folder: &Path,
        options: &PublicationOptions,
        monitor: Monitor<'_>,
    ) -> Result<Publication, SessionError> {
        let publication = publication(folder, options)?;
        for (path, name) in &publication.replaced {
            monitor.note(&Note::PathReplaced { path, name });
        }
        for (file, key) in &publication.dropped {
            monitor.note(&Note::PathLeftOut { file, key });
        }
        for mention in &publication.mentioned {
            monitor.note(&Note::PathMentioned(mention));
        }
        if !publication.left_out.is_empty() {
            monitor.note(&Note::FilesLeftOut(&publication.left_out));
        }
        Ok(publication)
    }

    /// Publishes what was gathered: under the name that is given, of an account or with one before it, else under the proposed name.
    ///
    /// # Errors
    /// When it has no name, or the hub does not take it.
    pub fn publish(
        &self,
        publication: Publication,
        name: Option<&str>,
        options: &PushOptions,
        monitor: Monitor<'_>,
    ) -> Result<Published, SessionError> {
        let hub = self.hub()?;
        let name = self.repository(&publication, name)?;
        let files: Vec<weightsmith_hub::Publication> = publication
            .files
            .into_iter()
            .map(|file| weightsmith_hub::Publication {
                path: file.name,
                size: file.bytes,
                content: match file.content {
                    Some(content) => Content::Bytes(content),
                    None => Content::File(file.source),
                },
            })
            .collect();
        monitor.note(&Note::Publishing {
            files: files.len(),
            repository: &name.to_string(),
        });
        let _working = monitor.begin(Work::Uploading);
        let pushed = hub.push(&name, &files, options, &Moving::new(monitor))?;
        Ok(Published { name, pushed })
    }

    /// The repository: what was asked for, else the proposed name under the token's account.
    fn repository(
        &self,
        publication: &Publication,
        name: Option<&str>,
    ) -> Result<ModelName, SessionError> {
        let name = match name.or(publication.proposed_name.as_deref()) {
            Some(name) if name.contains('/') => name.to_owned(),
            Some(name) => format!("{}/{name}", self.hub()?.account()?),
            None => return Err(SessionError::NoName),
        };
        Ok(name.parse()?)
    }
}
