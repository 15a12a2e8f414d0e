/** Commands of TeX that stand for one symbol, by the MathML element that shows them. */

/** @param {string} list pairs of command and symbol @returns {[string, string][]} */
const pairs = (list) =>
  list
    .trim()
    .split(/\s+/)
    .map((pair) => {
      const at = pair.indexOf(':');
      return [pair.slice(0, at), pair.slice(at + 1)];
    });

/** Letters. */
export const IDENTIFIERS = new Map(
  pairs(`
  alpha:α beta:β gamma:γ delta:δ epsilon:ϵ varepsilon:ε zeta:ζ eta:η theta:θ vartheta:ϑ iota:ι kappa:κ lambda:λ mu:μ nu:ν
  xi:ξ omicron:ο pi:π varpi:ϖ rho:ρ varrho:ϱ sigma:σ varsigma:ς tau:τ upsilon:υ phi:ϕ varphi:φ chi:χ psi:ψ omega:ω
  Gamma:Γ Delta:Δ Theta:Θ Lambda:Λ Xi:Ξ Pi:Π Sigma:Σ Upsilon:Υ Phi:Φ Psi:Ψ Omega:Ω
  infty:∞ partial:∂ nabla:∇ hbar:ℏ ell:ℓ Re:ℜ Im:ℑ aleph:ℵ wp:℘ emptyset:∅ varnothing:∅ angle:∠ degree:° imath:ı jmath:ȷ
  ldots:… dots:… cdots:⋯ vdots:⋮ ddots:⋱ top:⊤ bot:⊥ complement:∁ square:□ blacksquare:■ Box:□ checkmark:✓ dagger:† S:§
  `),
);

/** Relations, arrows and operators. */
export const OPERATORS = new Map(
  pairs(`
  pm:± mp:∓ times:× div:÷ cdot:⋅ ast:∗ star:⋆ circ:∘ bullet:∙ oplus:⊕ ominus:⊖ otimes:⊗ oslash:⊘ odot:⊙ wedge:∧ land:∧ vee:∨
  lor:∨ cap:∩ cup:∪ setminus:∖ neg:¬ lnot:¬ forall:∀ exists:∃ nexists:∄ in:∈ notin:∉ ni:∋ subset:⊂ supset:⊃ subseteq:⊆
  supseteq:⊇ subsetneq:⊊ leq:≤ le:≤ geq:≥ ge:≥ neq:≠ ne:≠ ll:≪ gg:≫ approx:≈ sim:∼ simeq:≃ cong:≅ equiv:≡ propto:∝ asymp:≍
  doteq:≐ coloneqq:≔ prec:≺ succ:≻ preceq:⪯ succeq:⪰ perp:⟂ parallel:∥ mid:∣ nmid:∤ vdash:⊢ models:⊨ to:→ rightarrow:→
  leftarrow:← gets:← leftrightarrow:↔ Rightarrow:⇒ Leftarrow:⇐ Leftrightarrow:⇔ implies:⟹ impliedby:⟸ iff:⟺ mapsto:↦
  longrightarrow:⟶ longleftarrow:⟵ Longrightarrow:⟹ hookrightarrow:↪ uparrow:↑ downarrow:↓ updownarrow:↕ nearrow:↗ searrow:↘
  rightharpoonup:⇀ rightleftharpoons:⇌ therefore:∴ because:∵ colon:: prime:′ backslash:\\ amalg:⨿ uplus:⊎ sqcup:⊔ sqcap:⊓
  triangle:△ triangleq:≜ lesssim:≲ gtrsim:≳ leqslant:⩽ geqslant:⩾
  `),
);

/** Delimiters, also after \left and \right. */
export const FENCES = new Map(
  pairs(`
  langle:⟨ rangle:⟩ lceil:⌈ rceil:⌉ lfloor:⌊ rfloor:⌋ lvert:| rvert:| lVert:‖ rVert:‖ vert:| Vert:‖ |:‖ {:{ }:} lbrace:{
  rbrace:} lbrack:[ rbrack:]
  `),
);

/** Large operators; those with limits have them above and below in displayed formulas. */
export const LARGE = new Map(
  pairs(
    'sum:∑ prod:∏ coprod:∐ bigcup:⋃ bigcap:⋂ bigvee:⋁ bigwedge:⋀ bigoplus:⨁ bigotimes:⨂ bigsqcup:⨆ int:∫ iint:∬ iiint:∭ oint:∮',
  ),
);
export const INTEGRALS = new Set(['int', 'iint', 'iiint', 'oint']);

/** Named functions. */
export const FUNCTIONS = new Set(
  'sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan log ln lg exp det dim ker hom arg deg gcd lim liminf limsup max min sup inf Pr'.split(
    ' ',
  ),
);
export const LIMIT_FUNCTIONS = new Set([
  'lim',
  'liminf',
  'limsup',
  'max',
  'min',
  'sup',
  'inf',
  'det',
  'gcd',
  'Pr',
]);

/** Marks above or below. The long ones stretch. */
export const ACCENTS = new Map(
  pairs(
    'hat:^ widehat:^ bar:¯ overline:¯ vec:→ overrightarrow:→ overleftarrow:← dot:˙ ddot:¨ tilde:~ widetilde:~ acute:´ grave:` check:ˇ breve:˘ overbrace:⏞ underline:_ underbrace:⏟',
  ),
);

/** Spaces in em. */
export const SPACES = new Map([
  [',', 0.167],
  [':', 0.222],
  ['>', 0.222],
  [';', 0.278],
  ['!', -0.167],
  [' ', 0.333],
  ['quad', 1],
  ['qquad', 2],
  ['thinspace', 0.167],
  ['enspace', 0.5],
]);

/**
 * Alphabets: the code points of A, a and 0, and the letters that Unicode has elsewhere (Unicode 16, "Mathematical
 * Alphanumeric Symbols"); null where the alphabet has none.
 * @type {ReadonlyMap<string, { upper: number, lower: number | null, digit: number | null, others: string }>}
 */
export const ALPHABETS = new Map(
  Object.entries({
    mathbf: { upper: 0x1d400, lower: 0x1d41a, digit: 0x1d7ce, others: '' },
    boldsymbol: { upper: 0x1d468, lower: 0x1d482, digit: 0x1d7ce, others: '' },
    mathbb: { upper: 0x1d538, lower: 0x1d552, digit: 0x1d7d8, others: 'CℂHℍNℕPℙQℚRℝZℤ' },
    mathcal: { upper: 0x1d49c, lower: null, digit: null, others: 'BℬEℰFℱHℋIℐLℒMℳRℛ' },
    mathscr: { upper: 0x1d49c, lower: null, digit: null, others: 'BℬEℰFℱHℋIℐLℒMℳRℛ' },
    mathfrak: { upper: 0x1d504, lower: 0x1d51e, digit: null, others: 'CℭHℌIℑRℜZℨ' },
    mathsf: { upper: 0x1d5a0, lower: 0x1d5ba, digit: 0x1d7e2, others: '' },
    mathtt: { upper: 0x1d670, lower: 0x1d68a, digit: 0x1d7f6, others: '' },
  }),
);

/** Environments with the delimiters around them. */
export const ENVIRONMENTS = new Map([
  ['matrix', ['', '']],
  ['smallmatrix', ['', '']],
  ['pmatrix', ['(', ')']],
  ['bmatrix', ['[', ']']],
  ['Bmatrix', ['{', '}']],
  ['vmatrix', ['|', '|']],
  ['Vmatrix', ['‖', '‖']],
  ['array', ['', '']],
  ['cases', ['{', '']],
  ['aligned', ['', '']],
  ['align', ['', '']],
  ['align*', ['', '']],
  ['alignat', ['', '']],
  ['split', ['', '']],
  ['gather', ['', '']],
  ['gather*', ['', '']],
  ['gathered', ['', '']],
  ['equation', ['', '']],
  ['equation*', ['', '']],
]);

/** Characters that are written otherwise in a formula. */
export const OPERATOR_SIGNS = new Map([
  ['-', '−'],
  ['*', '∗'],
]);
/** Commands for the size of a delimiter, which follows from what it holds here. */
export const SIZES = /^(?:big|Big|bigg|Bigg)[lrm]?$/;
/** Commands that change nothing that is shown here. */
export const IGNORED = new Set([
  'displaystyle',
  'textstyle',
  'limits',
  'nolimits',
  'nonumber',
  'notag',
  'allowbreak',
]);
/** Commands whose group is text. */
export const TEXTS = new Set([
  'text',
  'textrm',
  'textbf',
  'textit',
  'mbox',
  'mathrm',
  'operatorname',
  'operatorname*',
]);
