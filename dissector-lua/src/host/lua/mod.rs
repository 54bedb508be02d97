//! Wireshark's Lua API: the only room that knows mlua.
//!
//! - `object`, `class`: objects that live in the host and are light userdata to Lua; `data`: values of a script's own
//! - `argument`, `failure`: arguments and errors in Wireshark's words
//! - one file for each class or group of functions
//! - `library`: what a script has of Lua itself, and what it may use up

mod address;
mod argument;
mod bytes;
mod class;
mod constant;
mod data;
mod dissector;
mod extractor;
mod failure;
mod int64;
mod library;
mod listener;
mod object;
mod pinfo;
mod pref;
mod proto;
mod structure;
mod time;
mod tree_item;
mod tvb;
mod utility;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mlua::{Error, Function, Lua, Result, Value};

use super::buffer::Tvb;
use super::core::{Exception, Fault, Shared};
use super::field::FieldId;
use super::table::HandleId;
use super::tree::{NodeId, Place};
use super::value;
use super::{ListenerId, Options};
use failure::{Ending, ending, fault};
use object::{Class, Object};

pub(crate) use argument::general;
use tvb::call;
pub(crate) use tvb::unsigned;

/// What a handle of a script calls.
#[derive(Clone)]
struct Entry {
    callback: Callback,
    /// A heuristic says whether the bytes are its own; a dissector, how many it took.
    is_heuristic: bool,
}

/// A function of a script, and which script it is of: see [`Api::script`].
#[derive(Clone)]
pub(crate) struct Callback {
    function: Function,
    script: u32,
}

/// How many errors are kept until somebody takes them.
const MAX_FAULTS: usize = 100_000;

/// What the functions that scripts call share.
pub(crate) struct Api {
    pub(crate) core: Shared,
    slots: RefCell<Vec<tvb::Slot>>,
    /// Which of them are whole buffers.
    tvbs: RefCell<Vec<u32>>,
    attributes: RefCell<Rc<class::Attributes>>,
    protos: RefCell<Vec<proto::Proto>>,
    fields: RefCell<Vec<proto::ProtoField>>,
    experts: RefCell<Vec<proto::ProtoExpert>>,
    prefs: RefCell<Vec<pref::Pref>>,
    tables: RefCell<Vec<String>>,
    extractors: RefCell<Vec<extractor::Extractor>>,
    listeners: RefCell<Vec<listener::Listener>>,
    statistics: RefCell<Vec<utility::Statistic>>,
    entries: RefCell<Vec<Option<Entry>>>,
    /// The buffer of the dissector that is at work.
    current_tvb: Cell<Option<Tvb>>,
    /// Whether a dissector or a listener is at work: then there is a frame to ask about.
    in_dissector: Cell<bool>,
    /// The field of lines of text.
    text_field: FieldId,
    budget: library::Budget,
    /// The script that is at work, counted from 1 in the order of loading; 0 if none is.
    script: Arc<AtomicU32>,
    scripts: RefCell<Vec<String>>,
    modules: RefCell<Vec<(String, Vec<u8>)>>,
}

impl Api {
    fn entry(&self, handle: HandleId) -> Option<Entry> {
        self.entries.borrow().get(handle.0 as usize).cloned().flatten()
    }

    fn set_entry(&self, handle: HandleId, entry: Entry) {
        let mut entries = self.entries.borrow_mut();
        let index = handle.0 as usize;
        if entries.len() <= index {
            entries.resize(index + 1, None);
        }
        entries[index] = Some(entry);
    }

    fn set_dissector(&self, handle: HandleId, function: Function) {
        self.set_entry(handle, Entry { callback: self.callback(function), is_heuristic: false });
    }

    fn set_heuristic(&self, handle: HandleId, function: Function) {
        self.set_entry(handle, Entry { callback: self.callback(function), is_heuristic: true });
    }

    /// A function of the script that is at work.
    fn callback(&self, function: Function) -> Callback {
        Callback { function, script: self.script.load(Ordering::Relaxed) }
    }

    /// Runs something of a script's under its limits.
    fn enter<T>(&self, script: u32, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.budget.enter();
        let before = self.script.swap(script, Ordering::Relaxed);
        let result = work();
        self.script.store(before, Ordering::Relaxed);
        self.budget.leave();
        result
    }

    /// Runs a callback that nobody waits for.
    fn tell(&self, callback: &Callback, arguments: impl mlua::IntoLuaMulti) {
        if let Err(error) = self.enter(callback.script, || callback.function.call::<()>(arguments)) {
            self.report(callback.script, &error);
        }
    }

    /// Whether scripts that are still loading have declared a field of that name.
    fn is_declared(&self, name: &str) -> bool {
        self.fields.borrow().iter().any(|field| *field.definition.abbreviation == *name)
    }

    /// Prints.
    fn say(&self, text: &str) {
        self.core.output.borrow_mut().push_str(text);
    }

    /// Notes an error of a script.
    fn report(&self, script: u32, error: &Error) -> Fault {
        let number = self.core.packet.borrow().number;
        let scripts = self.scripts.borrow();
        let script = scripts.get((script as usize).wrapping_sub(1)).map_or("", String::as_str);
        let fault = fault((number > 0).then_some(number), script, error);
        let mut faults = self.core.faults.borrow_mut();
        if faults.len() < MAX_FAULTS {
            faults.push(fault.clone());
        }
        fault
    }
}

/// A Lua state with Wireshark's API in it.
pub(crate) struct Engine {
    lua: Lua,
    api: Rc<Api>,
}

impl Engine {
    pub(crate) fn new(core: &Shared, options: &Options) -> Result<Self> {
        let lua = library::lua()?;
        core.experts();
        let text_field = {
            let mut registry = core.registry.borrow_mut();
            let protocol = registry.protocol_named("_ws.lua").expect("it was declared with the expert infos");
            registry.add(protocol, "_ws.lua.text", "Wireshark Lua text", super::field::Kind::None, super::field::Base::None)
        };
        let api = Rc::new(Api {
            core: core.clone(),
            slots: RefCell::default(),
            tvbs: RefCell::default(),
            attributes: RefCell::default(),
            protos: RefCell::default(),
            fields: RefCell::default(),
            experts: RefCell::default(),
            prefs: RefCell::default(),
            tables: RefCell::default(),
            extractors: RefCell::default(),
            listeners: RefCell::default(),
            statistics: RefCell::default(),
            entries: RefCell::default(),
            current_tvb: Cell::new(None),
            in_dissector: Cell::new(false),
            text_field,
            budget: library::Budget::new(options.instruction_limit),
            script: Arc::default(),
            scripts: RefCell::default(),
            modules: RefCell::default(),
        });
        lua.set_app_data(api.clone());
        int64::register(&lua)?;
        time::register(&lua)?;
        address::register(&lua)?;
        bytes::register(&lua, &api)?;
        structure::register(&lua, &api)?;
        constant::register(&lua)?;
        let mut classes = class::Classes::new(&lua, &api);
        tvb::register(&mut classes)?;
        tree_item::register(&mut classes)?;
        pinfo::register(&mut classes)?;
        proto::register(&mut classes)?;
        pref::register(&mut classes)?;
        dissector::register(&mut classes)?;
        extractor::register(&mut classes)?;
        listener::register(&mut classes)?;
        utility::register(&classes)?;
        classes.finish()?;
        library::register(&lua, &api, options)?;
        Ok(Self { lua, api })
    }

    /// The script that is at work, see [`Api::script`].
    pub(crate) fn script(&self) -> Arc<AtomicU32> {
        self.api.script.clone()
    }

    /// Makes a module that `require` finds.
    pub(crate) fn provide(&self, name: &str, source: &[u8]) {
        self.api.modules.borrow_mut().push((name.to_owned(), source.to_vec()));
    }

    pub(crate) fn load(&self, name: &str, source: &[u8]) -> std::result::Result<(), Fault> {
        self.api.scripts.borrow_mut().push(name.to_owned());
        let script = self.api.scripts.borrow().len() as u32;
        let loaded = self.api.enter(script, || {
            let chunk = self.lua.load(source).set_name(format!("@{name}")).set_mode(mlua::ChunkMode::Text);
            chunk.set_environment(library::environment(&self.lua)?).exec()?;
            self.api.commit()
        });
        self.api.want_fields();
        loaded.map_err(|error| fault(None, name, &error))
    }

    /// Forgets the objects of the frame before.
    pub(crate) fn begin_frame(&self) {
        self.api.slots.borrow_mut().clear();
        self.api.tvbs.borrow_mut().clear();
    }

    pub(crate) fn dissect(&self, handle: HandleId, tvb: Tvb, node: NodeId) -> std::result::Result<usize, Exception> {
        let api = &self.api;
        let Some(Entry { callback, is_heuristic }) = api.entry(handle) else { return Ok(0) };
        let generation = api.core.generation.get();
        let buffer = api.push(Class::Tvb, tvb, 0);
        let arguments = (buffer.to_lua(), Object::passing(Class::Pinfo, generation, 0).to_lua(), api.item_object(node).to_lua());
        let before = (api.current_tvb.replace(Some(tvb)), api.in_dissector.replace(true));
        let result = api.enter(callback.script, || callback.function.call::<Value>(arguments));
        api.current_tvb.set(before.0);
        api.in_dissector.set(before.1);
        let heuristic = || {
            let protocol = api.core.tables.borrow().handle(handle).protocol;
            api.core.registry.borrow().protocol(protocol).short_name.clone()
        };
        match result {
            Ok(value) if is_heuristic => Ok(match value {
                Value::Boolean(true) => (tvb.len as usize).max(1),
                Value::Integer(taken) if taken > 0 => taken as usize,
                Value::Number(taken) if taken > 0.0 => taken as usize,
                Value::Boolean(_) | Value::Integer(_) | Value::Number(_) | Value::Nil => 0,
                _ => {
                    let error = Error::runtime(format!("invalid return value from Lua {} heuristic dissector", heuristic()));
                    self.show_fault(callback.script, &error, "", tvb, node);
                    0
                }
            }),
            // A negative number of bytes is not none: the dissector has taken them.
            Ok(Value::Integer(taken)) => Ok(usize::try_from(taken).unwrap_or(tvb.len as usize)),
            // Lua 5.4 does not take 3.5 for a number of bytes.
            Ok(Value::Number(taken)) if cfg!(feature = "lua54") && taken.fract() != 0.0 => Ok(0),
            Ok(Value::Number(taken)) if taken >= 0.0 => Ok(taken as usize),
            Ok(_) => Ok(tvb.len as usize),
            Err(error) => match ending(&error) {
                Some(Ending::Exception(exception)) => Err(exception.clone()),
                _ => {
                    let calling = if is_heuristic { format!("error calling {} heuristic dissector: ", heuristic()) } else { String::new() };
                    self.show_fault(callback.script, &error, &calling, tvb, node);
                    Ok(if is_heuristic { 0 } else { tvb.len as usize })
                }
            },
        }
    }

    /// Shows an error where the script would have gone on; `calling` says what was called, if that is not plain.
    fn show_fault(&self, script: u32, error: &Error, calling: &str, tvb: Tvb, node: NodeId) {
        let fault = self.api.report(script, error);
        let core = &self.api.core;
        let text = format!("Lua Error: {calling}{}", fault.message);
        let place = Place { len: 0, ..tvb.into() };
        let line = {
            let mut tree = core.tree.borrow_mut();
            let line = tree.add(node, None, value::Value::None, place);
            tree.set_label(line, &text);
            line
        };
        core.add_expert(line, core.experts().lua_error(), Some(&text));
    }

    /// Calls the init routines of all protocols.
    pub(crate) fn init(&self) {
        if let Err(error) = self.api.commit() {
            self.api.report(0, &error);
        }
        let routines: Vec<_> = self.api.protos.borrow().iter().filter_map(|proto| proto.init.clone()).collect();
        routines.iter().for_each(|routine| self.api.tell(routine, ()));
    }

    /// The listeners: tap and filter.
    pub(crate) fn listeners(&self) -> Vec<super::Listener> {
        let listeners = self.api.listeners.borrow();
        let there = (0..).zip(listeners.iter()).filter(|(_, listener)| !listener.removed && listener.packet.is_some());
        there
            .map(|(index, listener)| super::Listener { id: ListenerId(index), tap: listener.tap.clone(), filter: listener.filter.clone() })
            .collect()
    }

    /// Tells a listener of the last frame.
    pub(crate) fn tap(&self, listener: ListenerId) {
        let before = self.api.in_dissector.replace(true);
        self.api.tap(&self.lua, listener.0);
        self.api.in_dissector.set(before);
    }

    /// Lets the listeners draw, the last one first, as tshark does.
    pub(crate) fn draw(&self) {
        self.each_listener(|listener| listener.draw.clone());
    }

    /// Lets the listeners forget.
    pub(crate) fn reset(&self) {
        self.each_listener(|listener| listener.reset.clone());
    }

    fn each_listener(&self, which: impl Fn(&listener::Listener) -> Option<Callback>) {
        let callbacks: Vec<_> = {
            let listeners = self.api.listeners.borrow();
            listeners.iter().rev().filter(|listener| !listener.removed).filter_map(which).collect()
        };
        callbacks.iter().for_each(|callback| self.api.tell(callback, ()));
    }

    /// Sets a preference from text; whether there is one, and the text fits.
    pub(crate) fn set_preference(&self, name: &str, text: &str) -> std::result::Result<(), String> {
        let Some(index) = self.api.pref_named(name) else { return Err(format!("{name} is no preference")) };
        {
            let mut prefs = self.api.prefs.borrow_mut();
            let pref = &mut prefs[index];
            pref.setting = pref.setting.parsed(text).ok_or_else(|| format!("{name} cannot be {text:?}"))?;
        }
        self.api.tell_of_preferences();
        Ok(())
    }

    /// Runs the statistic that was registered for an argument's beginning.
    pub(crate) fn run_statistic(&self, argument: &str) -> bool {
        let action = {
            let statistics = self.api.statistics.borrow();
            statistics.iter().find(|statistic| argument.starts_with(&statistic.argument)).map(|statistic| statistic.action.clone())
        };
        let Some(action) = action else { return false };
        self.api.tell(&action, argument);
        true
    }
}
