/** Tools whose schema Anthropic's models know by heart, and which the client runs (Anthropic API reference, tool use). */

interface TypedTool {
  readonly description: string;
  readonly parameters: object;
}

const text = { type: 'string' } as const;
const integer = { type: 'integer' } as const;
const range = { type: 'array', items: integer, minItems: 2, maxItems: 2 } as const;

const BASH: TypedTool = {
  description: 'Runs a command in a bash session that stays open between calls.',
  parameters: {
    type: 'object',
    properties: {
      command: { ...text, description: 'The command to run. Required unless `restart` is true.' },
      restart: { type: 'boolean', description: 'True to restart the session.' },
    },
  },
};

const TEXT_EDITOR: TypedTool = {
  description: 'Views, creates and edits text files.',
  parameters: {
    type: 'object',
    properties: {
      command: { ...text, enum: ['view', 'create', 'str_replace', 'insert', 'undo_edit'] },
      path: { ...text, description: 'The absolute path of a file or directory.' },
      file_text: { ...text, description: 'For `create`: the content of the file.' },
      old_str: { ...text, description: 'For `str_replace`: the text to replace, which occurs once.' },
      new_str: { ...text, description: 'For `str_replace` and `insert`: the new text.' },
      insert_text: { ...text, description: 'For `insert`: the text to insert.' },
      insert_line: { ...integer, description: 'For `insert`: the line after which the text is inserted.' },
      view_range: { ...range, description: 'For `view`: the first and the last line.' },
    },
    required: ['command', 'path'],
  },
};

const MEMORY: TypedTool = {
  description: 'Stores and reads notes in files under /memories that stay between conversations.',
  parameters: {
    type: 'object',
    properties: {
      command: { ...text, enum: ['view', 'create', 'str_replace', 'insert', 'delete', 'rename'] },
      path: { ...text, description: 'The path, such as /memories/notes.md.' },
      file_text: { ...text, description: 'For `create`: the content.' },
      old_str: { ...text, description: 'For `str_replace`: the text to replace.' },
      new_str: { ...text, description: 'For `str_replace`: the new text.' },
      insert_line: { ...integer, description: 'For `insert`: the line after which the text is inserted.' },
      insert_text: { ...text, description: 'For `insert`: the text to insert.' },
      old_path: { ...text, description: 'For `rename`: the path so far.' },
      new_path: { ...text, description: 'For `rename`: the new path.' },
      view_range: { ...range, description: 'For `view`: the first and the last line.' },
    },
    required: ['command'],
  },
};

const COMPUTER: TypedTool = {
  description: 'Uses a computer: takes screenshots, moves and clicks the mouse, and types.',
  parameters: {
    type: 'object',
    properties: {
      action: {
        ...text,
        description:
          'One of screenshot, left_click, right_click, middle_click, double_click, triple_click, mouse_move, ' +
          'left_click_drag, left_mouse_down, left_mouse_up, cursor_position, scroll, key, hold_key, type, wait, zoom.',
      },
      coordinate: { ...range, description: 'The point as x and y in pixels.' },
      start_coordinate: { ...range, description: 'For `left_click_drag`: the point where it begins.' },
      text: { ...text, description: 'The text to type, or the key to press.' },
      scroll_direction: { ...text, enum: ['up', 'down', 'left', 'right'] },
      scroll_amount: integer,
      duration: { type: 'number', description: 'In seconds.' },
      region: { type: 'array', items: integer, description: 'For `zoom`: x and y of two corners.' },
    },
    required: ['action'],
  },
};

/** The schema of a tool that is known by its type; null for an unknown type. */
export function schemaOfTyped(type: string): TypedTool | null {
  if (type.startsWith('bash_')) return BASH;
  if (type.startsWith('text_editor_')) return TEXT_EDITOR;
  if (type.startsWith('memory_')) return MEMORY;
  return type.startsWith('computer_') ? COMPUTER : null;
}
