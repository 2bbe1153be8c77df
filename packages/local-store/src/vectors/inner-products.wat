;; Inner products of one question (16-bit numbers) with many codes (8-bit numbers), in whole numbers, and of one question with one
;; vector in floating-point ones.
;; Compiled into inner-products-bytes.ts by scripts/write-inner-products.mjs; inner-products.ts says what must hold.
(module
  (memory (import "aquifer" "memory") 1)
  (func (export "products")
    (param $question i32) (param $code i32) (param $stride i32) (param $count i32) (param $products i32)
    (local $end i32) (local $at i32) (local $even v128) (local $odd v128)
    (block $done
      (loop $codes
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $at (local.get $question))
        (local.set $end (i32.add (local.get $code) (local.get $stride)))
        ;; Two sums, so that one addition need not wait for the other.
        (local.set $even (v128.const i32x4 0 0 0 0))
        (local.set $odd (v128.const i32x4 0 0 0 0))
        (loop $sixteen
          (local.set $even (i32x4.add (local.get $even)
            (i32x4.dot_i16x8_s (v128.load (local.get $at)) (v128.load8x8_s (local.get $code)))))
          (local.set $odd (i32x4.add (local.get $odd)
            (i32x4.dot_i16x8_s (v128.load offset=16 (local.get $at)) (v128.load8x8_s offset=8 (local.get $code)))))
          (local.set $at (i32.add (local.get $at) (i32.const 32)))
          (local.set $code (i32.add (local.get $code) (i32.const 16)))
          (br_if $sixteen (i32.lt_u (local.get $code) (local.get $end))))
        (i32.store (local.get $products) (call $sumOf (i32x4.add (local.get $even) (local.get $odd))))
        (local.set $products (i32.add (local.get $products) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $codes))))

  ;; The same for four questions one after the other, whose products lie $apart bytes from each other: a code is read once for all of them.
  (func (export "productsOfFour")
    (param $question i32) (param $code i32) (param $stride i32) (param $count i32) (param $products i32) (param $apart i32)
    (local $end i32) (local $low v128) (local $high v128)
    (local $first i32) (local $second i32) (local $third i32) (local $fourth i32)
    (local $sum1 v128) (local $sum2 v128) (local $sum3 v128) (local $sum4 v128)
    (block $done
      (loop $codes
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $first (local.get $question))
        (local.set $second (i32.add (local.get $first) (i32.shl (local.get $stride) (i32.const 1))))
        (local.set $third (i32.add (local.get $second) (i32.shl (local.get $stride) (i32.const 1))))
        (local.set $fourth (i32.add (local.get $third) (i32.shl (local.get $stride) (i32.const 1))))
        (local.set $end (i32.add (local.get $code) (local.get $stride)))
        (local.set $sum1 (v128.const i32x4 0 0 0 0))
        (local.set $sum2 (v128.const i32x4 0 0 0 0))
        (local.set $sum3 (v128.const i32x4 0 0 0 0))
        (local.set $sum4 (v128.const i32x4 0 0 0 0))
        (loop $sixteen
          (local.set $low (v128.load8x8_s (local.get $code)))
          (local.set $high (v128.load8x8_s offset=8 (local.get $code)))
          (local.set $sum1 (i32x4.add (local.get $sum1) (i32x4.add
            (i32x4.dot_i16x8_s (v128.load (local.get $first)) (local.get $low))
            (i32x4.dot_i16x8_s (v128.load offset=16 (local.get $first)) (local.get $high)))))
          (local.set $first (i32.add (local.get $first) (i32.const 32)))
          (local.set $sum2 (i32x4.add (local.get $sum2) (i32x4.add
            (i32x4.dot_i16x8_s (v128.load (local.get $second)) (local.get $low))
            (i32x4.dot_i16x8_s (v128.load offset=16 (local.get $second)) (local.get $high)))))
          (local.set $second (i32.add (local.get $second) (i32.const 32)))
          (local.set $sum3 (i32x4.add (local.get $sum3) (i32x4.add
            (i32x4.dot_i16x8_s (v128.load (local.get $third)) (local.get $low))
            (i32x4.dot_i16x8_s (v128.load offset=16 (local.get $third)) (local.get $high)))))
          (local.set $third (i32.add (local.get $third) (i32.const 32)))
          (local.set $sum4 (i32x4.add (local.get $sum4) (i32x4.add
            (i32x4.dot_i16x8_s (v128.load (local.get $fourth)) (local.get $low))
            (i32x4.dot_i16x8_s (v128.load offset=16 (local.get $fourth)) (local.get $high)))))
          (local.set $fourth (i32.add (local.get $fourth) (i32.const 32)))
          (local.set $code (i32.add (local.get $code) (i32.const 16)))
          (br_if $sixteen (i32.lt_u (local.get $code) (local.get $end))))
        (local.set $first (local.get $products))
        (local.set $second (i32.add (local.get $first) (local.get $apart)))
        (local.set $third (i32.add (local.get $second) (local.get $apart)))
        (local.set $fourth (i32.add (local.get $third) (local.get $apart)))
        (i32.store (local.get $first) (call $sumOf (local.get $sum1)))
        (i32.store (local.get $second) (call $sumOf (local.get $sum2)))
        (i32.store (local.get $third) (call $sumOf (local.get $sum3)))
        (i32.store (local.get $fourth) (call $sumOf (local.get $sum4)))
        (local.set $products (i32.add (local.get $products) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $codes))))

  (func $sumOf (param $four v128) (result i32)
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $four)) (i32x4.extract_lane 1 (local.get $four)))
      (i32.add (i32x4.extract_lane 2 (local.get $four)) (i32x4.extract_lane 3 (local.get $four)))))

  ;; The order of additions is that of exact-cosine.ts: four sums, of every fourth product each.
  (func (export "product") (param $question i32) (param $vector i32) (param $end i32) (result f64)
    (local $first v128) (local $last v128) (local $four v128)
    (local.set $first (v128.const f64x2 0 0))
    (local.set $last (v128.const f64x2 0 0))
    (loop $fours
      (local.set $four (v128.load (local.get $vector)))
      (local.set $first (f64x2.add (local.get $first)
        (f64x2.mul (v128.load (local.get $question)) (f64x2.promote_low_f32x4 (local.get $four)))))
      (local.set $last (f64x2.add (local.get $last)
        (f64x2.mul (v128.load offset=16 (local.get $question))
          (f64x2.promote_low_f32x4
            (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $four) (local.get $four))))))
      (local.set $question (i32.add (local.get $question) (i32.const 32)))
      (local.set $vector (i32.add (local.get $vector) (i32.const 16)))
      (br_if $fours (i32.lt_u (local.get $vector) (local.get $end))))
    (f64.add
      (f64.add
        (f64.add (f64x2.extract_lane 0 (local.get $first)) (f64x2.extract_lane 1 (local.get $first)))
        (f64x2.extract_lane 0 (local.get $last)))
      (f64x2.extract_lane 1 (local.get $last)))))
