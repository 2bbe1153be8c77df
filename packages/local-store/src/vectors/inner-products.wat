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
        (local.set $even (i32x4.add (local.get $even) (local.get $odd)))
        (i32.store (local.get $products)
          (i32.add
            (i32.add (i32x4.extract_lane 0 (local.get $even)) (i32x4.extract_lane 1 (local.get $even)))
            (i32.add (i32x4.extract_lane 2 (local.get $even)) (i32x4.extract_lane 3 (local.get $even)))))
        (local.set $products (i32.add (local.get $products) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $codes))))

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
