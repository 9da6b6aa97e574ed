/** What a plugin provides is called by the plugin's name and its own, so that neither plugins nor later versions take each other's names. */
export type PluginName = `${string}/${string}`;

/** A part of such a name. */
export const PLUGIN_WORD = /^[A-Za-z_][\w.-]{0,63}$/;

/** Two of them. */
export const PLUGIN_NAME = /^[A-Za-z_][\w.-]{0,63}\/[A-Za-z_][\w.-]{0,63}$/;

/** Names of what is built in have no `/`. */
export function isPluginName(name: string): name is PluginName {
  return PLUGIN_NAME.test(name);
}
