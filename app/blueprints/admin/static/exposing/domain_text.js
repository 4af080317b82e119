// Domains that are simple enough for rows: conditions of which all hold, or any. Values in, values out.

// The operators that a row offers for a type: key, words, and the operator and value of the domain where they are fixed.
const TEXT = [["ilike", "contains"], ["not ilike", "does not contain"], ["=", "is"], ["!=", "is not"], ["in", "is one of"], ["not in", "is none of"]];
const ORDERED = [["=", "is"], ["!=", "is not"], [">", "is more than"], [">=", "is at least"], ["<", "is less than"], ["<=", "is at most"], ["in", "is one of"]];
const TIME = [["=", "is"], ["!=", "is not"], [">", "is after"], [">=", "is from"], ["<", "is before"], ["<=", "is until"]];
const CHOICE = [["=", "is"], ["!=", "is not"]];
const RECORD = [["=", "is"], ["!=", "is not"], ["child_of", "is or is below"]];
const RECORDS = [["in", "holds"], ["not in", "does not hold"]];
const SET = [["set", "is set"], ["unset", "is not set"]];
const BY_TYPE = {
  char: TEXT, text: TEXT, html: TEXT, reference: TEXT, integer: ORDERED, float: ORDERED, monetary: ORDERED, many2one_reference: ORDERED,
  date: TIME, datetime: TIME, selection: CHOICE, boolean: [["=", "is"]], many2one: RECORD, one2many: RECORDS, many2many: RECORDS,
};

export const operators = (type) => [...(BY_TYPE[type] || []), ...(type === "boolean" ? [] : SET)];
export const takesValue = (operator) => operator !== "set" && operator !== "unset";
export const isList = (type, operator) => (operator === "in" || operator === "not in") && !["one2many", "many2many"].includes(type);

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const fits = {
  boolean: (value) => typeof value === "boolean", integer: Number.isInteger, many2one_reference: Number.isInteger, many2one: Number.isInteger,
  float: isNumber, monetary: isNumber, one2many: Number.isInteger, many2many: Number.isInteger,
  date: (value) => /^\d{4}-\d\d-\d\d$/.test(value), datetime: (value) => /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?$/.test(value),
};
const fitsType = (type, value) => (fits[type] || ((each) => typeof each === "string"))(value);

// A term as a row, {path, operator, value}, or null where no row can show it. ``type`` is that of the field at its end.
export const rowOf = ([path, operator, value], type) => {
  if (value === false && type !== "boolean") return { path, operator: { "=": "unset", "!=": "set" }[operator] || null, value: "" };
  if (!operators(type).some(([key]) => key === operator)) return null;
  if (isList(type, operator)) return Array.isArray(value) && value.length && value.every((each) => fitsType(type, each)) ? { path, operator, value } : null;
  const single = ["one2many", "many2many"].includes(type) && Array.isArray(value) && value.length === 1 ? value[0] : value;
  return fitsType(type, single) ? { path, operator, value: single } : null;
};

export const termOf = ({ path, operator, value }, type) => {
  if (!takesValue(operator)) return [path, operator === "set" ? "!=" : "=", false];
  return [path, operator, ["one2many", "many2many"].includes(type) ? [value] : value];
};

const isTerm = (item) => Array.isArray(item) && item.length === 3 && typeof item[0] === "string" && typeof item[1] === "string";

// {any, terms} of a domain that is a flat list, or null.
export const split = (domain) => {
  if (!Array.isArray(domain)) return null;
  const signs = domain.filter((item) => !Array.isArray(item));
  const terms = domain.slice(signs.length);
  if (!terms.every(isTerm) || domain.slice(0, signs.length).some(Array.isArray)) return null;
  if (!signs.length) return { any: false, terms };
  const [sign] = signs;
  const flat = signs.length === terms.length - 1 && signs.every((each) => each === sign);
  return flat && (sign === "|" || sign === "&") ? { any: sign === "|", terms } : null;
};

export const join = (any, terms) => [...(any ? terms.slice(1).map(() => "|") : []), ...terms];

// The domain of a text, undefined where it is none that JSON knows: then the text stays as it is.
export const parse = (text) => {
  if (!text.trim()) return [];
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
