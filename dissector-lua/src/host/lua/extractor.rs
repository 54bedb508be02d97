//! `Field` and `FieldInfo`: what others have found in the current frame.

use mlua::{Lua, MetaMethod, Result, UserData, UserDataFields, UserDataMethods, Value, Variadic};

use super::super::buffer::Tvb;
use super::super::field::FieldId;
use super::super::tree::NodeId;
use super::Api;
use super::argument::text;
use super::class::{Classes, function};
use super::constant;
use super::data::{self, Class as _};
use super::failure::{bad, expected_class, fail};
use super::object::{Class, Object};
use crate::host::View;
use crate::host::item::Item;

/// What a script looks for.
pub(crate) struct Extractor {
    name: String,
}

/// A field of the current frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldInfo {
    node: NodeId,
    generation: u32,
}

impl data::Class for FieldInfo {
    const NAME: &'static str = "FieldInfo";
    const METHODS: &'static [&'static str] = &[];
}

impl Api {
    /// Looks at an item.
    pub(crate) fn look<T>(&self, node: NodeId, look: impl FnOnce(Item<'_>) -> T) -> T {
        let (tree, registry) = (self.core.tree.borrow(), self.core.registry.borrow());
        let (buffers, packet) = (self.core.buffers.borrow(), self.core.packet.borrow());
        look(View { tree: &tree, registry: &registry, buffers: &buffers, packet: &packet }.item(node))
    }

    /// The items of a field, in the order in which they were added.
    pub(crate) fn found(&self, name: &str) -> Vec<NodeId> {
        let registry = self.core.registry.borrow();
        let tree = self.core.tree.borrow();
        match registry.named(name) {
            [one] => tree.all().filter(|id| tree.node(*id).field == Some(*one)).collect(),
            ids => tree.all().filter(|id| tree.node(*id).field.is_some_and(|field| ids.contains(&field))).collect(),
        }
    }

    /// Makes sure that the fields that scripts look for are kept: some are registered after `Field.new`.
    pub(crate) fn want_fields(&self) {
        let mut registry = self.core.registry.borrow_mut();
        for extractor in self.extractors.borrow().iter() {
            let ids: Vec<FieldId> = registry.named(&extractor.name).to_vec();
            ids.into_iter().for_each(|id| registry.want(id));
        }
        for listener in self.listeners.borrow().iter() {
            for (_, name) in super::listener::details(&listener.tap) {
                let ids: Vec<FieldId> = registry.named(name).to_vec();
                ids.into_iter().for_each(|id| registry.want(id));
            }
        }
    }
}

impl FieldInfo {
    fn api(lua: &Lua) -> std::rc::Rc<Api> {
        lua.app_data_ref::<std::rc::Rc<Api>>().expect("the API is there").clone()
    }

    fn alive(self, lua: &Lua) -> Result<std::rc::Rc<Api>> {
        let api = Self::api(lua);
        if self.generation == api.core.generation.get() { Ok(api) } else { Err(bad(lua, 1, "expired FieldInfo")) }
    }

    fn value(self, lua: &Lua) -> Result<Value> {
        let api = self.alive(lua)?;
        let kind = api.look(self.node, |item| item.field().map(|field| field.kind));
        match kind {
            Some(kind) => api.value_of(lua, kind, self.node),
            None => Ok(Value::Nil),
        }
    }

    fn place(self, lua: &Lua) -> Result<(std::rc::Rc<Api>, Tvb)> {
        let api = self.alive(lua)?;
        let place = api.core.tree.borrow().node(self.node).place;
        Ok((api, Tvb { source: place.source, offset: place.offset, len: place.len, reported_len: place.len }))
    }

    /// Two fields are compared as their texts' places are; what they hold decides.
    fn pair(lua: &Lua, left: &Value, right: &Value) -> Result<(Item1, Item1)> {
        Ok((Item1::of(lua, 1, left)?, Item1::of(lua, 2, right)?))
    }
}

/// What is compared of a field: its kind and its value.
#[derive(PartialEq)]
struct Item1 {
    show: String,
    place: (u32, u32),
}

impl Item1 {
    fn of(lua: &Lua, argument: usize, value: &Value) -> Result<Self> {
        let info = FieldInfo::argument(lua, argument, value)?;
        let api = info.alive(lua)?;
        Ok(api.look(info.node, |item| {
            let place = item.node().place;
            Self { show: item.show(), place: (place.offset, place.offset.saturating_add(place.len)) }
        }))
    }
}

impl UserData for FieldInfo {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        data::name::<Self>(fields);
        fields.add_field_method_get("value", |lua, this| this.value(lua));
        fields.add_field_method_get("len", |lua, this| Ok(this.place(lua)?.1.len));
        fields.add_field_method_get("offset", |lua, this| Ok(this.place(lua)?.1.offset));
        fields.add_field_method_get("label", |lua, this| Ok(this.alive(lua)?.look(this.node, |item| item.show())));
        fields.add_field_method_get("display", |lua, this| {
            Ok(this.alive(lua)?.look(this.node, |item| {
                let label = item.plain_label();
                label.split_once(": ").map_or_else(|| label.clone(), |(_, shown)| shown.to_owned())
            }))
        });
        fields.add_field_method_get("name", |lua, this| {
            Ok(this.alive(lua)?.look(this.node, |item| item.field().map(|field| field.abbreviation.to_string())))
        });
        fields.add_field_method_get("type", |lua, this| {
            Ok(this.alive(lua)?.look(this.node, |item| item.field().map(|field| constant::kind_number(field.kind))))
        });
        fields.add_field_method_get("source", |lua, this| {
            let (api, place) = this.place(lua)?;
            let len = api.core.buffers.borrow().source(place.source).len() as u32;
            Ok(api.push(Class::Tvb, Tvb { offset: 0, len, reported_len: len, ..place }, 0).to_lua())
        });
        for name in ["range", "tvb"] {
            fields.add_field_method_get(name, |lua, this| {
                let (api, place) = this.place(lua)?;
                let there = api.core.buffers.borrow().place(place.source, place.offset, place.len).len() as u32;
                Ok(api.push(Class::TvbRange, Tvb { len: there, reported_len: there, ..place }, 0).to_lua())
            });
        }
        fields.add_field_method_get("generated", |lua, this| Ok(this.alive(lua)?.look(this.node, |item| item.node().generated)));
        fields.add_field_method_get("hidden", |lua, this| Ok(this.alive(lua)?.look(this.node, |item| item.node().hidden)));
        fields.add_field_method_get("is_url", |lua, this| Ok(this.alive(lua)?.look(this.node, |item| item.node().url)));
        fields.add_field_method_get("little_endian", |lua, this| Ok(this.alive(lua)?.look(this.node, |item| item.node().little_endian)));
        fields.add_field_method_get("big_endian", |lua, this| Ok(this.alive(lua)?.look(this.node, |item| !item.node().little_endian)));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        data::no_others::<Self>(methods);
        methods.add_meta_method(MetaMethod::Call, |lua, this, ()| this.value(lua));
        methods.add_meta_method(MetaMethod::Len, |lua, this, ()| Ok(this.place(lua)?.1.len));
        methods.add_meta_method(MetaMethod::Unm, |lua, this, ()| Ok(this.place(lua)?.1.offset));
        methods.add_meta_method(MetaMethod::ToString, |lua, this, ()| {
            let api = this.alive(lua)?;
            Ok(api.look(this.node, |item| item.show()))
        });
        methods.add_meta_function(MetaMethod::Eq, |lua, (left, right): (Value, Value)| {
            let (left, right) = Self::pair(lua, &left, &right)?;
            Ok(left == right)
        });
        methods.add_meta_function(MetaMethod::Lt, |lua, (left, right): (Value, Value)| {
            let (left, right) = Self::pair(lua, &left, &right)?;
            Ok(left.place.1 <= right.place.0)
        });
        methods.add_meta_function(MetaMethod::Le, |lua, (left, right): (Value, Value)| {
            let (left, right) = Self::pair(lua, &left, &right)?;
            Ok(left.place.1 <= right.place.1)
        });
    }
}

/// The fields of the current frame that a script asked for.
fn call(api: &Api, lua: &Lua, this: Value) -> Result<Variadic<Value>> {
    let object = match Object::of(&this) {
        Some(object) if object.class == Class::Field => object,
        _ => return Err(expected_class(lua, 1, "Field", &this)),
    };
    if !api.in_dissector.get() {
        return Err(fail(lua, "invalid field"));
    }
    let nodes = api.found(&api.extractors.borrow()[object.index as usize].name);
    let generation = api.core.generation.get();
    nodes.into_iter().map(|node| FieldInfo { node, generation }.to_value(lua)).collect()
}

/// Makes the classes.
pub(crate) fn register(classes: &mut Classes<'_>) -> Result<()> {
    let mut field = classes.class(Class::Field)?;
    field.constructor(|api, lua, name: Value| {
        let name = text(lua, 1, &name)?;
        if api.core.generation.get() > 0 {
            return Err(fail(lua, "Field_new: A Field extractor must be defined before Taps or Dissectors get called"));
        }
        let known = {
            let registry = api.core.registry.borrow();
            !registry.named(&name).is_empty()
        };
        if !known && !api.is_declared(&name) {
            return Err(bad(lua, 1, "Field_new: a field with this name must exist"));
        }
        let mut extractors = api.extractors.borrow_mut();
        extractors.push(Extractor { name });
        let index = extractors.len() as u32 - 1;
        drop(extractors);
        api.want_fields();
        Ok(Object::lasting(Class::Field, index).to_lua())
    })?;
    field.function("list", |api, lua, ()| {
        let registry = api.core.registry.borrow();
        lua.create_sequence_from(registry.fields().iter().map(|field| field.abbreviation.to_string()))
    })?;
    field.call(|api, lua, (this, _): (Value, Variadic<Value>)| call(api, lua, this))?;
    field.get("name", |api, lua, this| lua.create_string(&api.extractors.borrow()[this.index as usize].name).map(Value::String));
    field.get("display", |api, lua, this| {
        let (registry, extractors) = (api.core.registry.borrow(), api.extractors.borrow());
        let ids = registry.named(&extractors[this.index as usize].name);
        ids.first().map_or(Ok(Value::Nil), |id| lua.create_string(&*registry.field(*id).name).map(Value::String))
    });
    field.get("type", |api, _, this| {
        let (registry, extractors) = (api.core.registry.borrow(), api.extractors.borrow());
        let ids = registry.named(&extractors[this.index as usize].name);
        Ok(ids.first().map_or(Value::Nil, |id| Value::Integer(constant::kind_number(registry.field(*id).kind))))
    });
    field.text(|api, lua, this| lua.create_string(&api.extractors.borrow()[this.index as usize].name).map(Value::String));
    let (lua, api) = (classes.lua, classes.api);
    let all = function(lua, api, |api, lua, ()| {
        if !api.in_dissector.get() {
            return Err(fail(lua, "Cannot be called outside a listener or dissector"));
        }
        let generation = api.core.generation.get();
        let nodes: Vec<NodeId> = {
            let tree = api.core.tree.borrow();
            tree.all().filter(|id| tree.node(*id).field.is_some()).collect()
        };
        nodes.into_iter().map(|node| FieldInfo { node, generation }.to_value(lua)).collect::<Result<Variadic<Value>>>()
    })?;
    lua.globals().raw_set("all_field_infos", all)
}
