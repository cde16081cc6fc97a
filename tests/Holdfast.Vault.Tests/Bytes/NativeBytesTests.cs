using System.Buffers;
using Holdfast.Vault.Bytes;

namespace Holdfast.Vault.Tests.Bytes;

public sealed class NativeBytesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1 << 20)]
    public unsafe void EveryByteCanBeWrittenAndReadAndNoneBeyond(int length)
    {
        using var bytes = new NativeBytes(length);
        Assert.Equal(length, bytes.Memory.Length);
        byte[] content = TestKeys.Content(length);
        content.CopyTo(bytes.Memory.Span);
        Assert.True(bytes.GetSpan().SequenceEqual(content));
        Assert.Throws<ArgumentOutOfRangeException>(() => bytes.Memory[..(length + 1)]);

        using MemoryHandle pinned = bytes.Memory.Pin();
        Assert.Equal(0UL, (ulong)pinned.Pointer % NativeBytes.CacheLine);
        using MemoryHandle end = bytes.Pin(length);
        Assert.Equal(length, (byte*)end.Pointer - (byte*)pinned.Pointer);
        Assert.Throws<ArgumentOutOfRangeException>(() => bytes.Pin(length + 1));
    }

    [Fact]
    public void WhatWasFreedCannotBeUsedThroughAnyOfItsViews()
    {
        var bytes = new NativeBytes(100);
        Memory<byte> part = bytes.Memory.Slice(10, 20);
        bytes.Dispose();
        bytes.Dispose();

        Assert.Throws<ObjectDisposedException>(() => bytes.GetSpan().Length);
        Assert.Throws<ObjectDisposedException>(() => part.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => bytes.Pin());
        Assert.Throws<ObjectDisposedException>(() => bytes.Memory);
    }

    [Fact]
    public void ALengthBelowZeroIsTheCallersMistake() => Assert.Throws<ArgumentOutOfRangeException>(() => new NativeBytes(-1));
}
