// Odoo's models, as far as they can be exposed; each is asked for once. ``Picker`` is panel.js's.

const descriptions = new Map();

export const describe = (model) => {
  if (!descriptions.has(model)) descriptions.set(model, Picker.ask("fields", { model }));
  return descriptions.get(model);
};

export const methodsOf = (model) => Picker.ask("methods", { model });
export const methodOf = (model, name) => Picker.ask("method", { model, name });
export const recordNamed = async (model, id) => (await Picker.ask("records", { model, ids: id }))[0];
