// The number an arithmetic expression comes to, where it holds nothing but numbers and variables that are numbers. Pure.

import type { ArithmeticExpression } from "unbash";

/** Largest number whose products stay exact here; bash's own numbers are larger. */
const MAX = 2 ** 31;

/** What a word stands for: a number, or null when it cannot be told. */
export type WordNumber = (word: string) => number | null;

/** The value of an expression without assignments and substitutions; null for all else. */
export function numberOf(node: ArithmeticExpression, word: WordNumber): number | null {
  switch (node.type) {
    case "ArithmeticWord":
      return node.parts === undefined ? literal(node.value) ?? word(node.value) : null;
    case "ArithmeticGroup":
      return numberOf(node.expression, word);
    case "ArithmeticUnary": {
      const value = node.operator === "++" || node.operator === "--" ? null : numberOf(node.operand, word);
      return value === null ? null : unary(node.operator, value);
    }
    case "ArithmeticBinary": {
      const left = numberOf(node.left, word);
      const right = left === null ? null : numberOf(node.right, word);
      return left === null || right === null ? null : small(binary(node.operator, left, right));
    }
    default:
      return null;
  }
}

function literal(text: string): number | null {
  return /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : null;
}

function small(value: number | null): number | null {
  return value !== null && Number.isInteger(value) && Math.abs(value) < MAX ? value : null;
}

function unary(operator: string, value: number): number | null {
  switch (operator) {
    case "-":
      return 0 - value;
    case "+":
      return value;
    case "!":
      return value === 0 ? 1 : 0;
    default:
      return null;
  }
}

function binary(operator: string, left: number, right: number): number | null {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? null : Math.trunc(left / right) + 0;
    case "%":
      return right === 0 ? null : (left % right) + 0;
    case "**":
      return right < 0 || right > 30 ? null : left ** right;
    case "<":
      return Number(left < right);
    case ">":
      return Number(left > right);
    case "<=":
      return Number(left <= right);
    case ">=":
      return Number(left >= right);
    case "==":
      return Number(left === right);
    case "!=":
      return Number(left !== right);
    default:
      return null;
  }
}
